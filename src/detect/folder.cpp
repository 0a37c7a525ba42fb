// SPDX-License-Identifier: Apache-2.0
#include "detect/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::detect {
namespace {

constexpr std::size_t k_buffer_size = 65536;

std::int64_t mtime_of(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// open(2) of a file on another machine may be interrupted by a signal.
template <class Call>
int uninterrupted(const Call& call) {
  int result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

} // namespace

std::optional<Folder> Folder::open(const std::string& path) {
  const int fd = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  return fd >= 0 ? std::optional(Folder(fd)) : std::nullopt;
}

std::optional<Folder> Folder::open_below(const char* name) const {
  const int fd = uninterrupted([&] { return ::openat(m_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); });
  return fd >= 0 ? std::optional(Folder(fd)) : std::nullopt;
}

Folder::~Folder() {
  if (m_fd >= 0) {
    ::close(m_fd);
  }
}

std::optional<std::int64_t> Folder::mtime() const {
  struct stat status {};
  return ::fstat(m_fd, &status) == 0 ? std::optional(mtime_of(status)) : std::nullopt;
}

ssize_t Folder::next_entries(std::vector<char>& buffer) const {
  buffer.resize(k_buffer_size);
  return ::getdents64(m_fd, buffer.data(), buffer.size());
}

EntryType Folder::type_of(unsigned char type, const char* name) const {
  if (type == DT_REG) {
    return EntryType::file;
  }
  if (type == DT_DIR) {
    return EntryType::directory;
  }
  struct stat status {};
  // Some file systems do not say the type in the listing.
  if (type != DT_UNKNOWN || ::fstatat(m_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return EntryType::other;
  }
  return S_ISREG(status.st_mode) ? EntryType::file : S_ISDIR(status.st_mode) ? EntryType::directory : EntryType::other;
}

std::optional<Folder::Contents> Folder::read(const char* name, std::size_t limit) const {
  // Not to wait for whoever writes to it, should it have become a pipe.
  const Folder file(
      uninterrupted([&] { return ::openat(m_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
  struct stat status {};
  if (file.m_fd < 0 || ::fstat(file.m_fd, &status) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode) || static_cast<std::size_t>(status.st_size) > limit) {
    errno = 0;
    return std::nullopt;
  }
  Contents contents{std::string(static_cast<std::size_t>(status.st_size), '\0'), mtime_of(status)};
  std::size_t at = 0;
  while (at < contents.text.size()) {
    const auto size = ::read(file.m_fd, contents.text.data() + at, contents.text.size() - at);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return std::nullopt;
    }
    if (size == 0) {
      break; // it became shorter
    }
    at += static_cast<std::size_t>(size);
  }
  contents.text.resize(at);
  return contents;
}

} // namespace sheaf::detect
