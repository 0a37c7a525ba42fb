// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waiting for a key's lock in a way that an interrupt ends. Which locks may be taken while which are held:
// docs/concepts/store.md.

#include "base/result.hpp"
#include "os/file_lock.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace sheaf::store {

class Store;

/// The lock at `path`; as below.
Result<os::FileLock> wait_for_lock(const std::string& path, os::LockMode mode, const std::stop_token& stop,
                                   const std::function<void()>& on_wait = {});

/// One holder per key, over all processes. Waits for the other one; `on_wait` is called once if there is one.
/// `cancelled` on a stop request.
Result<os::FileLock> wait_for_key(Store& store, const std::string& key, const std::stop_token& stop,
                                  const std::function<void()>& on_wait = {});

} // namespace sheaf::store
