// SPDX-License-Identifier: Apache-2.0
#pragma once

// An owned file descriptor and the few calls that make one. All descriptors are close-on-exec from birth.

#include "base/result.hpp"

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

namespace sheaf::os {

/// Closes on destruction. Move-only; empty after a move.
class [[nodiscard]] Fd {
public:
  Fd() = default;
  explicit Fd(int fd) : m_fd(fd) {}
  Fd(Fd&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  /// Valid as long as this object lives; -1 if empty.
  int get() const { return m_fd; }
  explicit operator bool() const { return m_fd >= 0; }
  /// Gives up ownership.
  int release() { return std::exchange(m_fd, -1); }
  /// Closes and reports what close(2) says, for data that must be on disk.
  Result<void> close();

private:
  int m_fd = -1;
};

/// open(2), O_CLOEXEC added. `not_found`, `denied`, ….
Result<Fd> open(const std::string& path, int flags, mode_t mode = 0);
/// openat(2), O_CLOEXEC added; never follows a symlink as the last component unless `flags` lacks O_NOFOLLOW.
Result<Fd> open_at(const Fd& directory, const std::string& name, int flags, mode_t mode = 0);
/// openat2(2) with RESOLVE_IN_ROOT: `path` means what it would mean after chroot into `root`.
Result<Fd> open_in_root(const Fd& root, const std::string& path, int flags, mode_t mode = 0);
/// openat2(2) with RESOLVE_BENEATH: symlinks and ".." may not lead out of `directory`.
Result<Fd> open_beneath(const Fd& directory, const std::string& path, int flags, mode_t mode = 0);
/// A second descriptor for the same open file.
Result<Fd> duplicate(const Fd& fd);
/// An anonymous file in memory that holds `content`, positioned at its start.
Result<Fd> memory_file(std::string_view content);

struct Pipe {
  Fd read;
  Fd write;
  static Result<Pipe> create();
};

/// Everything up to end of file.
Result<std::string> read_all(const Fd& fd);
/// All of `bytes`, however many write(2) calls it takes.
Result<void> write_all(const Fd& fd, std::string_view bytes);
Result<struct stat> stat_of(const Fd& fd);

} // namespace sheaf::os
