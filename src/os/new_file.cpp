// SPDX-License-Identifier: Apache-2.0
#include "os/new_file.hpp"

#include "os/as_caller.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace sheaf::os {
namespace {

/// O_TMPFILE is not known to the file system (EOPNOTSUPP) or to the kernel (EISDIR). Source: open(2).
bool lacks_unnamed_files(int error) { return error == EOPNOTSUPP || error == EISDIR || error == EINVAL; }

/// linkat(2) of an open file. One that was made as the caller has to be linked as the caller: EPERM.
int link_to(const Fd& fd, const std::string& path) {
  const auto from = fmt::format("/proc/self/fd/{}", fd.get());
  const auto link = [&] { return linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW); };
  const int result = or_as_caller(link);
  if (result == 0 || errno != EPERM) {
    return result;
  }
  const AsCaller caller;
  errno = EPERM;
  return caller.changed() ? link() : result;
}

/// Until whoever replaces a file by way of `beside` is done. If that one is dead, what it left is removed: under the
/// lock of the file that is there, so that nobody removes one that came since.
Result<void> await_other(const std::string& beside) {
  auto other = open(beside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!other) {
    return other.error().code() == ErrorCode::not_found ? Result<void>() : Result<void>(std::move(other).error());
  }
  if (uninterrupted([&] { return flock(other->get(), LOCK_EX); }) != 0) {
    return Error::from_errno(errno, "waiting for another process");
  }
  SHEAF_TRY_ASSIGN(const auto held, stat_of(*other));
  struct stat named {};
  const bool is_left = lstat(beside.c_str(), &named) == 0 && named.st_ino == held.st_ino;
  return is_left ? remove_file_if_exists(beside) : Result<void>();
}

} // namespace

Result<NewFile> NewFile::create(const std::string& path, mode_t mode) {
  const auto folder = parent_of(path);
  Fd unnamed(or_as_caller([&] { return ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode); }));
  if (unnamed) {
    return NewFile(std::move(unnamed), path, {});
  }
  if (const int failure = errno; !lacks_unnamed_files(failure)) {
    return Error::from_errno(failure, fmt::format("writing '{}'", path));
  }
  std::string temporary;
  Fd named(or_as_caller([&] {
    temporary = path + ".XXXXXX";
    return mkostemp(temporary.data(), O_CLOEXEC);
  }));
  // mkostemp(3) has no mode; the umask can be read by setting it only, which other threads would feel.
  if (!named || fchmod(named.get(), mode & 0644U) != 0) {
    return Error::from_errno(errno, fmt::format("writing '{}'", path));
  }
  return NewFile(std::move(named), path, std::move(temporary));
}

NewFile::~NewFile() {
  if (!m_temporary.empty()) {
    ignore(remove_file_if_exists(m_temporary), "what is left of a file that could not be written");
  }
}

Result<void> NewFile::appear() {
  if (!m_temporary.empty()) {
    SHEAF_TRY(m_fd.close());
    SHEAF_TRY(rename(m_temporary, m_path));
    m_temporary.clear();
    return {};
  }
  if (link_to(m_fd, m_path) != 0) {
    if (errno != EEXIST) {
      return Error::from_errno(errno, fmt::format("giving '{}' its name", m_path));
    }
    SHEAF_TRY(replace());
  }
  return m_fd.close();
}

/// A file without a name replaces none. It is given one beside it first, always the same, so that what a killed process
/// leaves there goes with the next replacement. Whoever has a file there holds a lock on it, which ends with its
/// holder.
Result<void> NewFile::replace() {
  const auto beside = m_path + ".new";
  if (uninterrupted([&] { return flock(m_fd.get(), LOCK_EX); }) != 0) {
    return Error::from_errno(errno, fmt::format("replacing '{}'", m_path));
  }
  while (link_to(m_fd, beside) != 0) {
    if (errno != EEXIST) {
      return Error::from_errno(errno, fmt::format("replacing '{}'", m_path));
    }
    SHEAF_TRY(await_other(beside).context(fmt::format("replacing '{}'", m_path)));
  }
  auto renamed = rename(beside, m_path);
  if (!renamed) {
    ignore(remove_file_if_exists(beside), "what is left of a file that could not be replaced");
  }
  return renamed;
}

Result<void> flush(const Fd& fd) {
  if (uninterrupted([&] { return fsync(fd.get()); }) != 0) {
    return Error::from_errno(errno, "flushing");
  }
  return {};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace sheaf::os
