// SPDX-License-Identifier: Apache-2.0
#include "store/key_lock.hpp"

#include "store/store.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace sheaf::store {

Result<os::FileLock> wait_for_key(Store& store, const std::string& key, const std::stop_token& stop,
                                  const std::function<void()>& on_wait) {
  return wait_for_lock(store.lock_path(key), os::LockMode::exclusive, stop, on_wait);
}

Result<os::FileLock> wait_for_lock(const std::string& path, os::LockMode mode, const std::stop_token& stop,
                                   const std::function<void()>& on_wait) {
  // flock(2) itself would go on waiting after a signal that another thread takes.
  constexpr auto k_pause = std::chrono::milliseconds(20);
  for (bool told = false; !stop.stop_requested(); told = true) {
    SHEAF_TRY_ASSIGN(auto free, os::FileLock::try_acquire(path, mode));
    if (free) {
      return std::move(*free);
    }
    if (!told && on_wait) {
      on_wait();
    }
    std::this_thread::sleep_for(k_pause);
  }
  return Error(ErrorCode::cancelled, "stopped");
}

} // namespace sheaf::store
