// SPDX-License-Identifier: Apache-2.0
#pragma once

// In a user namespace of our own we are root of our sub-ids, but nothing in front of files whose owner or group the
// namespace does not know: not even of the caller's own files if their group is one of a team. As the caller we may
// what the caller may. Source: capabilities(7), "Interaction with user namespaces"; credentials(7).

#include <cerrno>

namespace sheaf::os {

/// While it lives, this thread acts with the caller's id; nothing happens in the initial namespace. Other threads stay
/// who they are.
class [[nodiscard]] AsCaller {
public:
  AsCaller();
  AsCaller(const AsCaller&) = delete;
  AsCaller& operator=(const AsCaller&) = delete;
  ~AsCaller();
  bool changed() const { return m_changed; }

private:
  /// Of whose signals a change of ids rids this process (prctl(2), PR_SET_PDEATHSIG): they are asked for again.
  int m_death_signal = 0;
  int m_parent = 0;
  bool m_changed = false;
};

/// The result of a system call that gives a negative number and errno; one that a signal interrupted is made again. Not
/// for close(2).
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

/// The same; one that was not permitted is made once more as the caller.
template <class Call>
auto or_as_caller(const Call& call) {
  const auto result = uninterrupted(call);
  if (result >= 0 || errno != EACCES) {
    return result;
  }
  const AsCaller caller;
  if (!caller.changed()) {
    errno = EACCES;
    return result;
  }
  return uninterrupted(call);
}

} // namespace sheaf::os
