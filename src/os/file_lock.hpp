// SPDX-License-Identifier: Apache-2.0
#pragma once

// Advisory locks between processes: flock(2) on a file of its own. The lock is gone when its holder is, however it
// ends.

#include "os/fd.hpp"

#include <optional>
#include <string>

namespace sheaf::os {

enum class LockMode { shared, exclusive };

class [[nodiscard]] FileLock {
public:
  /// Waits until the lock is free. Creates the file if needed.
  static Result<FileLock> acquire(const std::string& path, LockMode mode);
  /// Nothing if somebody else holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path, LockMode mode);

private:
  explicit FileLock(Fd fd) : m_fd(std::move(fd)) {}
  Fd m_fd;
};

} // namespace sheaf::os
