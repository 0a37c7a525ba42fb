// SPDX-License-Identifier: Apache-2.0
#include "app/copy_tree.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::app {
namespace {

using os::Fd;

/// Inside a user namespace the caller is this id; as real root, root.
unsigned caller_id() { return os::is_caller_mapped() ? os::k_caller_id : os::effective_uid(); }

Result<void> settle(const Fd& folder, const std::string& name, const struct stat& info) {
  const auto doing = [&] { return fmt::format("setting owner, mode and time of '{}'", name); };
  const auto owner = caller_id();
  const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
  if (fchownat(folder.get(), name.c_str(), owner, owner, AT_SYMLINK_NOFOLLOW) != 0 ||
      (!S_ISLNK(info.st_mode) && fchmodat(folder.get(), name.c_str(), info.st_mode & 01777U, 0) != 0) ||
      utimensat(folder.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, doing());
  }
  return {};
}

Result<void> copy_file(const Fd& from_folder, const std::string& name, const Fd& to_folder) {
  SHEAF_TRY_ASSIGN(const Fd from, os::open_at(from_folder, name, O_RDONLY | O_NOFOLLOW));
  if (unlinkat(to_folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, "replacing it");
  }
  SHEAF_TRY_ASSIGN(Fd to, os::open_at(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  for (;;) {
    const auto sent = sendfile(to.get(), from.get(), nullptr, std::size_t{1} << 30U);
    if (sent == 0) {
      return to.close();
    }
    if (sent < 0 && errno != EINTR) {
      return Error::from_errno(errno, "copying it");
    }
  }
}

Result<void> copy_link(const Fd& from_folder, const std::string& name, const Fd& to_folder) {
  SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(from_folder, name));
  if (unlinkat(to_folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, "replacing it");
  }
  return symlinkat(target.c_str(), to_folder.get(), name.c_str()) == 0 ? Result<void>()
                                                                       : Error::from_errno(errno, "making a symlink");
}

Result<void> copy_directory(const Fd& from_folder, const std::string& name, const Fd& to_folder) {
  if (mkdirat(to_folder.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::from_errno(errno, "making a directory");
  }
  SHEAF_TRY_ASSIGN(const Fd from, os::open_at(from_folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  SHEAF_TRY_ASSIGN(const Fd to, os::open_at(to_folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return copy_tree(from, to);
}

Result<void> copy_entry(const Fd& from, const std::string& name, const Fd& to) {
  struct stat info {};
  if (fstatat(from.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, "looking at it");
  }
  if (S_ISDIR(info.st_mode)) {
    SHEAF_TRY(copy_directory(from, name, to));
  } else if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY(copy_link(from, name, to));
  } else if (S_ISREG(info.st_mode)) {
    SHEAF_TRY(copy_file(from, name, to));
  } else {
    return {};
  }
  return settle(to, name, info);
}

} // namespace

Result<void> copy_tree(const Fd& from, const Fd& to) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(from));
  for (const auto& entry : entries) {
    SHEAF_TRY(copy_entry(from, entry.name, to).context(entry.name));
  }
  return {};
}

} // namespace sheaf::app
