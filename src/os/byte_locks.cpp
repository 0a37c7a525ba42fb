// SPDX-License-Identifier: Apache-2.0
#include "os/byte_locks.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::os {
namespace {

/// Offsets are signed, and the last one must not be passed by the byte after it.
constexpr std::uint64_t k_mask = (std::uint64_t{1} << 62U) - 1;

/// False if somebody else has it and `command` does not wait.
Result<bool> lock(const Fd& file, int command, short type, std::uint64_t number) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(number & k_mask);
  range.l_len = 1;
  while (fcntl(file.get(), command, &range) != 0) {
    if (errno == EAGAIN || errno == EACCES) {
      return false;
    }
    if (errno != EINTR) {
      return Error::from_errno(errno, "locking a part of the store");
    }
  }
  return true;
}

} // namespace

Result<ByteLocks> ByteLocks::open(const std::string& path) {
  auto file = os::open(path, O_RDWR | O_CREAT, 0644);
  if (!file && (file.error().errno_value() == EROFS || file.error().errno_value() == EACCES)) {
    file = os::open(path, O_RDONLY);
  }
  SHEAF_TRY(file);
  return ByteLocks(std::move(*file));
}

Result<void> ByteLocks::share(std::uint64_t number) const {
  SHEAF_TRY(lock(m_file, F_OFD_SETLKW, F_RDLCK, number));
  return {};
}

Result<bool> ByteLocks::try_own(std::uint64_t number) const { return lock(m_file, F_OFD_SETLK, F_WRLCK, number); }

Result<void> ByteLocks::release(std::uint64_t number) const {
  SHEAF_TRY(lock(m_file, F_OFD_SETLK, F_UNLCK, number));
  return {};
}

} // namespace sheaf::os
