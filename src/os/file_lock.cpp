// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.hpp"

#include "os/as_caller.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string_view>

namespace sheaf::os {
namespace {

/// Locks `path`, and makes sure that the file locked is still the one at `path` (it may be removed by a clean-up).
Result<std::optional<Fd>> lock(const std::string& path, int operation) {
  for (;;) {
    SHEAF_TRY_ASSIGN(Fd fd, open(path, O_RDWR | O_CREAT, 0644));
    if (uninterrupted([&] { return flock(fd.get(), operation); }) != 0) {
      if (errno == EWOULDBLOCK) {
        return std::optional<Fd>();
      }
      return Error::from_errno(errno, fmt::format("locking '{}'", path));
    }
    struct stat held {};
    struct stat named {};
    if (fstat(fd.get(), &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino) {
      return std::optional(std::move(fd));
    }
  }
}

/// Whoever changes a store locks something of it first.
constexpr std::string_view k_read_only = "the store can only be read: 'sheaf plan', 'sheaf image list', 'sheaf df' and "
                                         "'sheaf fsck' work on it; for all else "
                                         "make it writable or choose another one with --root or SHEAF_ROOT";

/// The file at `path`, locked; nothing if somebody else holds it and the operation does not wait.
Result<std::optional<Fd>> lock_in_store(const std::string& path, int operation) {
  auto fd = lock(path, operation);
  return !fd && fd.error().errno_value() == EROFS ? std::move(fd).hint(k_read_only) : std::move(fd);
}

int flag(LockMode mode) { return mode == LockMode::shared ? LOCK_SH : LOCK_EX; }

} // namespace

Result<FileLock> FileLock::acquire(const std::string& path, LockMode mode) {
  SHEAF_TRY_ASSIGN(auto fd, lock_in_store(path, flag(mode)));
  return FileLock(std::move(*fd));
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path, LockMode mode) {
  SHEAF_TRY_ASSIGN(auto fd, lock_in_store(path, flag(mode) | LOCK_NB));
  if (!fd) {
    return std::optional<FileLock>();
  }
  return std::optional(FileLock(std::move(*fd)));
}

} // namespace sheaf::os
