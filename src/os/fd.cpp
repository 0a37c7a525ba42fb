// SPDX-License-Identifier: Apache-2.0
#include "os/fd.hpp"

#include "os/as_caller.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::os {
namespace {

Result<Fd> open_resolved(const Fd& root, const std::string& path, int flags, mode_t mode, unsigned long resolve) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = resolve;
  for (;;) {
    const auto fd = or_as_caller([&] { return syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how); });
    if (fd >= 0) {
      return Fd(static_cast<int>(fd));
    }
    // EAGAIN: a rename somewhere in the tree raced with the lookup; the kernel asks to try again.
    if (errno != EINTR && errno != EAGAIN) {
      return Error::from_errno(errno, fmt::format("opening '{}'", path));
    }
  }
}

} // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    ignore(close(), "closing the descriptor that is replaced");
    m_fd = std::exchange(other.m_fd, -1);
  }
  return *this;
}

Fd::~Fd() { ignore(close(), "closing a descriptor whose data does not matter"); }

Result<void> Fd::close() {
  const int fd = std::exchange(m_fd, -1);
  // The descriptor is gone even after EINTR: close(2).
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) {
    return Error::from_errno(errno, "closing a file");
  }
  return {};
}

Result<Fd> open(const std::string& path, int flags, mode_t mode) {
  const int fd = or_as_caller([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    return Error::from_errno(errno, fmt::format("opening '{}'", path));
  }
  return Fd(fd);
}

Result<Fd> open_at(const Fd& directory, const std::string& name, int flags, mode_t mode) {
  const int fd = or_as_caller([&] { return ::openat(directory.get(), name.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    return Error::from_errno(errno, fmt::format("opening '{}'", name));
  }
  return Fd(fd);
}

Result<Fd> open_in_root(const Fd& root, const std::string& path, int flags, mode_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> open_beneath(const Fd& directory, const std::string& path, int flags, mode_t mode) {
  return open_resolved(directory, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> duplicate(const Fd& fd) {
  const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    return Error::from_errno(errno, "duplicating a descriptor");
  }
  return Fd(copy);
}

Result<Fd> memory_file(std::string_view content) {
  Fd fd(memfd_create("sheaf", MFD_CLOEXEC));
  if (!fd) {
    return Error::from_errno(errno, "creating a file in memory");
  }
  SHEAF_TRY(write_all(fd, content));
  if (lseek(fd.get(), 0, SEEK_SET) != 0) {
    return Error::from_errno(errno, "rewinding a file in memory");
  }
  return fd;
}

Result<Pipe> Pipe::create() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(errno, "creating a pipe");
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<std::string> read_all(const Fd& fd) {
  constexpr std::size_t k_unknown_size = 4096;
  struct stat info {};
  const bool has_size = fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
  const auto size = has_size ? static_cast<std::size_t>(info.st_size) : 0;
  std::string content(has_size ? size + 1 : k_unknown_size, '\0');
  for (std::size_t used = 0;;) {
    const auto room = content.size() - used;
    const auto got = ::read(fd.get(), content.data() + used, room);
    if (got < 0) {
      if (errno != EINTR) {
        return Error::from_errno(errno, "reading");
      }
      continue;
    }
    used += static_cast<std::size_t>(got);
    // A file that gave less than there was room for has ended, if it gave what it said; files of /proc say nothing.
    if (got == 0 || (has_size && used == size && static_cast<std::size_t>(got) < room)) {
      content.resize(used);
      return content;
    }
    if (used == content.size()) {
      content.resize(2 * used);
    }
  }
}

Result<void> write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(fd.get(), bytes.data(), bytes.size());
    if (done >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno != EINTR) {
      return Error::from_errno(errno, "writing");
    }
  }
  return {};
}

Result<struct stat> stat_of(const Fd& fd) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) {
    return Error::from_errno(errno, "looking at an open file");
  }
  return info;
}

} // namespace sheaf::os
