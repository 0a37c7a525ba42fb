// SPDX-License-Identifier: Apache-2.0
#include "layer/parent_view.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace sheaf::layer {

Result<ParentView> ParentView::open(const std::vector<std::string>& lowers) {
  if (lowers.empty()) {
    return ParentView(os::Fd());
  }
  if (lowers.size() == 1) {
    SHEAF_TRY_ASSIGN(auto root, os::open(lowers[0], O_RDONLY | O_DIRECTORY));
    return ParentView(std::move(root));
  }
  SHEAF_TRY_ASSIGN(const auto mount, os::mount_overlay({lowers, "", "", false}));
  SHEAF_TRY_ASSIGN(auto root, os::open_at(mount, ".", O_RDONLY | O_DIRECTORY));
  return ParentView(std::move(root));
}

Result<std::optional<std::string>> ParentView::read(const std::string& path) const {
  if (!m_root) {
    return std::optional<std::string>();
  }
  // Nobody writes to a fifo that a layer brings: waiting for it would never end.
  auto file = os::open_in_root(m_root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file) {
    if (file.error().code() == ErrorCode::not_found) {
      return std::optional<std::string>();
    }
    return std::move(file).error();
  }
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(*file));
  if (!S_ISREG(info.st_mode)) {
    return Error(ErrorCode::invalid, fmt::format("'/{}' is no regular file", path));
  }
  SHEAF_TRY_ASSIGN(auto content, os::read_all(*file));
  return std::optional(std::move(content));
}

Result<bool> ParentView::has(const std::string& path) const {
  if (!m_root) {
    return false;
  }
  auto entry = os::open_in_root(m_root, path, O_PATH | O_NOFOLLOW);
  if (!entry && entry.error().code() != ErrorCode::not_found) {
    return std::move(entry).error();
  }
  return entry.has_value();
}

Result<std::optional<std::string>> ParentView::read_link(const std::string& path) const {
  SHEAF_TRY_ASSIGN(const bool exists, has(path));
  if (!exists) {
    return std::optional<std::string>();
  }
  const auto slash = path.rfind('/');
  const auto name = path.substr(slash + 1); // the whole path if there is no slash
  SHEAF_TRY_ASSIGN(const auto folder, os::open_in_root(m_root, slash == std::string::npos ? "." : path.substr(0, slash),
                                                       O_PATH | O_DIRECTORY));
  struct stat info {};
  if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(info.st_mode)) {
    return std::optional<std::string>();
  }
  SHEAF_TRY_ASSIGN(auto target, os::read_link_at(folder, name));
  return std::optional(std::move(target));
}

} // namespace sheaf::layer
