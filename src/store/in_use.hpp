// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which parts of the store running processes use, so that `sheaf gc` leaves them alone. A part is a folder, named as in
// TreeRef::folder, or a blob ("blobs/<hex>"), or a cache as a whole ("cache/apt"). Whoever is going to use a part says
// so before it looks whether the part is there; the collector owns a part while it takes it away.
// How it holds together: docs/concepts/store.md, "What is in use".

#include "base/result.hpp"
#include "os/byte_locks.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace sheaf::store {

/// Remembers, to the hour, that the file or folder at `path` is of use.
void mark_used(const std::string& path);

/// Safe from several threads.
class InUse {
public:
  static Result<InUse> open(const std::string& root);
  InUse(InUse&&) noexcept = default;
  InUse& operator=(InUse&&) noexcept = default;
  ~InUse();

  /// Until the end of this object nobody removes the part, if it is there. Remembers, in the modification time of its
  /// folder and to the hour, when it was used last: now, and at the end of this object. Waits while it is being taken
  /// away.
  Result<void> add(std::string_view part);
  /// The same for who only looks: that is no use of it.
  Result<void> hold(std::string_view part);
  /// Remembers once more that all that was added is used: before, this process may not have been allowed to.
  void touch_all();

  /// For the collector: true if nobody uses the part; nobody can, then, until `give_back`. Call these two on an object
  /// of the collector's own.
  Result<bool> take(std::string_view part);
  Result<void> give_back(std::string_view part);

private:
  InUse(std::string root, os::ByteLocks locks)
      : m_root(std::move(root)), m_locks(std::move(locks)), m_known(std::make_unique<Known>()) {}

  struct Known {
    std::mutex mutex;
    std::set<std::string, std::less<>> parts; ///< added
    std::set<std::string, std::less<>> held;
  };
  std::string m_root;
  os::ByteLocks m_locks;
  std::unique_ptr<Known> m_known;
};

} // namespace sheaf::store
