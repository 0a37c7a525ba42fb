// SPDX-License-Identifier: Apache-2.0
#include "builder/tree_cleanup.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::builder {
namespace {

Result<void> set_time(const os::Fd& folder, const std::string& name, std::int64_t epoch) {
  const std::array<timespec, 2> times = {{{epoch, 0}, {epoch, 0}}};
  if (utimensat(folder.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the time of '{}'", name));
  }
  return {};
}

bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

/// overlayfs makes one whiteout and links it; which ones are one is nobody's business either.
Result<void> clean_whiteout(const os::Fd& folder, const std::string& name, const struct stat& info) {
  const bool is_shared = info.st_nlink > 1;
  if (is_shared && (unlinkat(folder.get(), name.c_str(), 0) != 0 ||
                    mknodat(folder.get(), name.c_str(), S_IFCHR, makedev(0, 0)) != 0)) {
    return Error::from_errno(errno, fmt::format("making the whiteout '{}' again", name));
  }
  return set_time(folder, name, 0);
}

Result<void> clean_folder(const os::Fd& folder, const TreeCleanup& cleanup) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
    if (!cleanup.epoch && (entry.type == DT_REG || entry.type == DT_LNK)) {
      continue;
    }
    struct stat info {};
    if (fstatat(folder.get(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("looking at '{}'", entry.name));
    }
    if (S_ISDIR(info.st_mode)) {
      SHEAF_TRY_ASSIGN(const auto inner, os::open_at(folder, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      SHEAF_TRY(clean_folder(inner, cleanup));
      if (cleanup.drop_opaque_marks) {
        SHEAF_TRY(os::remove_attribute_at(folder, entry.name, std::string(os::overlay_prefix()) + "opaque"));
      }
    }
    if (is_whiteout(info)) {
      SHEAF_TRY(clean_whiteout(folder, entry.name, info));
    } else if (cleanup.epoch && info.st_mtim.tv_sec >= *cleanup.epoch) {
      SHEAF_TRY(set_time(folder, entry.name, *cleanup.epoch));
    }
  }
  return {};
}

} // namespace

Result<void> clean_tree(const std::string& path, const TreeCleanup& cleanup) {
  SHEAF_TRY_ASSIGN(const auto root, os::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return clean_folder(root, cleanup);
}

} // namespace sheaf::builder
