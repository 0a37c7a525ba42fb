// SPDX-License-Identifier: Apache-2.0
#include "builder/tree_cleanup.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace sheaf::builder {
namespace {

Result<void> clamp(const os::Fd& folder, const std::string& name, const struct stat& info, std::int64_t epoch) {
  if (info.st_mtim.tv_sec < epoch) {
    return {};
  }
  const std::array<timespec, 2> times = {{{epoch, 0}, {epoch, 0}}};
  if (utimensat(folder.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the time of '{}'", name));
  }
  return {};
}

Result<void> clean_folder(const os::Fd& folder, const TreeCleanup& cleanup) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
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
    if (cleanup.epoch) {
      SHEAF_TRY(clamp(folder, entry.name, info, *cleanup.epoch));
    }
  }
  return {};
}

} // namespace

Result<void> clean_tree(const std::string& path, const TreeCleanup& cleanup) {
  if (!cleanup.epoch && !cleanup.drop_opaque_marks) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto root, os::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return clean_folder(root, cleanup);
}

} // namespace sheaf::builder
