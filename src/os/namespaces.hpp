// SPDX-License-Identifier: Apache-2.0
#pragma once

// User namespaces: how an ordinary user becomes root of their own ids. One mapping serves building and running:
// uid 1000 inside (the user `dev`) is the caller, all other ids come from the caller's range in /etc/subuid.

#include "os/fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::os {

/// One line of /etc/subuid or /etc/subgid.
struct SubIdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};
/// The largest range given to `user` (by name or number) in the text of a subuid(5) file.
std::optional<SubIdRange> largest_range(std::string_view text, std::string_view user, std::uint32_t uid);

/// The uid inside that is the caller outside.
constexpr std::uint32_t k_caller_id = 1000;
/// Ids a namespace must have: 0 to 65535, one of them the caller's own.
constexpr std::uint32_t k_needed_sub_ids = 65535;

/// True unless this process lives in a user namespace that maps only a part of the ids.
bool in_initial_user_namespace();
/// True in a namespace that enter_user_namespace made, where the caller is k_caller_id; not in one that somebody else
/// made and in which the caller is root, as in a container.
bool is_caller_mapped();
std::uint32_t effective_uid();
std::uint32_t effective_gid();

/// Gives the file `path` to the caller if it belongs to root inside, as all that we make does: outside that is a
/// sub-id, and the caller could not even delete it. Nothing happens in the initial namespace.
Result<void> give_to_caller(const std::string& path);
/// The same for one that may have no name yet.
Result<void> give_to_caller(const Fd& file);

/// Whether this process will mount something itself. A copy of the host's mounts takes milliseconds to make and to
/// drop, so who only starts sandboxes, which have their own, goes without.
enum class OwnMounts { no, yes };

/// fork(2) without what a sanitizer does in the child: ThreadSanitizer starts a thread there, and a process of two
/// threads gets no user namespace.
pid_t fork_alone();

/// Moves this process, which must have one thread, into a new user namespace as its root, by newuidmap(1) and
/// newgidmap(1). `unsupported` with advice if sub-ids, the tools or the kernel's permission are missing.
Result<void> enter_user_namespace(OwnMounts mounts);

/// Whether the kernel lets this user create a user namespace at all; tried in a child process.
Result<void> probe_user_namespace();

/// A user namespace in which ids `from` and `to` have changed places, for ID-mapped mounts.
Result<Fd> swapped_user_namespace(unsigned from_uid, unsigned from_gid, unsigned to);

} // namespace sheaf::os
