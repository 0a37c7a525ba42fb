// SPDX-License-Identifier: Apache-2.0
#include "sandbox/mount_points.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace sheaf::sandbox {
namespace {

using os::Fd;

std::string link_text(const Fd& fd) {
  std::array<char, 4096> text{};
  const auto got = readlink(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), text.data(), text.size());
  return got < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(got));
}

/// The path of `folder` below `root`, without links and without a slash in front; nothing if it is on another file
/// system, whose contents are no business of the upper's.
std::optional<std::string> place_of(const Fd& root, const Fd& folder) {
  const auto in = os::stat_of(folder);
  const auto of = os::stat_of(root);
  if (!in || !of || in->st_dev != of->st_dev) {
    return std::nullopt;
  }
  const auto base = link_text(root);
  const auto path = link_text(folder);
  if (base.empty() || !path.starts_with(base) || (path.size() > base.size() && path[base.size()] != '/')) {
    return std::nullopt;
  }
  return path.size() == base.size() ? std::string() : path.substr(base.size() + 1);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool same_times(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

std::optional<struct stat> look(const Fd& folder, const std::string& path) {
  struct stat info {};
  const int result = fstatat(folder.get(), path.empty() ? "." : path.c_str(), &info, AT_SYMLINK_NOFOLLOW);
  return result == 0 ? std::optional(info) : std::nullopt;
}

void set_times(const Fd& folder, const std::string& path, const struct stat& info) {
  const std::array<struct timespec, 2> times = {info.st_atim, info.st_mtim};
  utimensat(folder.get(), path.empty() ? "." : path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

/// Removes an empty directory or file and gives the folder that it was in its times back. What the command put
/// something into stays; what cannot be removed would become a part of the layer.
Result<void> remove_at(const Fd& upper, const std::string& path, int flags) {
  const auto folder = look(upper, parent_of(path));
  if (folder && unlinkat(upper.get(), path.c_str(), flags) == 0) {
    set_times(upper, parent_of(path), *folder);
    return {};
  }
  const bool stays = !folder || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
  return stays ? Result<void>() : Error::from_errno(errno, fmt::format("removing the mount point '/{}'", path));
}

/// Does the directory hide what is below it? Then somebody made it anew.
bool is_opaque(const Fd& upper, const std::string& path) {
  const auto folder = os::open_at(upper, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const auto name = std::string(os::overlay_prefix()) + "opaque";
  return !folder || fgetxattr(folder->get(), name.c_str(), nullptr, 0) >= 0;
}

Result<void> make(const Fd& folder, const std::string& name, TargetKind kind) {
  if (kind == TargetKind::file) {
    SHEAF_TRY(os::open_at(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
    return {};
  }
  if (mkdirat(folder.get(), name.c_str(), 0755) != 0) {
    return errno == EEXIST ? Result<void>() : Error::from_errno(errno, "making a directory");
  }
  SHEAF_TRY_ASSIGN(const auto owner, os::stat_of(folder));
  if (fchownat(folder.get(), name.c_str(), owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, "setting the owner of a directory");
  }
  return {};
}

} // namespace

Result<MountPoints> MountPoints::create(const std::string& root, const std::string& upper) {
  SHEAF_TRY_ASSIGN(auto root_fd, os::open(root, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(auto upper_fd, os::open(upper, O_RDONLY | O_DIRECTORY));
  return MountPoints(std::move(root_fd), std::move(upper_fd));
}

Result<void> MountPoints::ensure(const std::string& path, TargetKind kind) {
  if (os::open_in_root(m_root, path, O_PATH)) {
    return {};
  }
  const auto slash = path.rfind('/');
  const auto parent = slash == 0 || slash == std::string::npos ? std::string("/") : path.substr(0, slash);
  SHEAF_TRY(ensure(parent, TargetKind::directory));
  SHEAF_TRY_ASSIGN(const Fd folder, os::open_in_root(m_root, parent, O_RDONLY | O_DIRECTORY));
  const auto name = path.substr(slash + 1);
  const auto place = place_of(m_root, folder);
  SHEAF_TRY_ASSIGN(const auto before, os::stat_of(folder));
  const auto full = place ? (place->empty() ? name : fmt::format("{}/{}", *place, name)) : std::string();
  // A deletion in the upper is replaced by what is made; taking that away would bring back what was deleted.
  const bool is_ours = place && !look(m_upper, full);
  if (is_ours) {
    note_copied_up(*place);
  }
  SHEAF_TRY(make(folder, name, kind).context(fmt::format("creating '{}'", path)));
  if (is_ours) {
    set_times(folder, ".", before);
    m_made.push_back({full, kind});
  }
  return {};
}

void MountPoints::note_copied_up(const std::string& folder) {
  std::vector<CopiedUp> found;
  for (auto path = folder; !path.empty() && !look(m_upper, path); path = parent_of(path)) {
    if (const auto before = look(m_root, path)) {
      found.push_back({path, *before});
    }
  }
  m_copied_up.insert(m_copied_up.end(), found.rbegin(), found.rend());
}

Result<void> MountPoints::attach(const Fd& mount, const std::string& path, TargetKind kind) {
  SHEAF_TRY(ensure(path, kind));
  return os::attach_in_root(mount, m_root, path);
}

Result<void> MountPoints::remove() const {
  for (auto made = m_made.rbegin(); made != m_made.rend(); ++made) { // NOLINT(modernize-loop-convert): clang 14
    const auto info = look(m_upper, made->path);
    if (!info || (made->kind == TargetKind::file && (!S_ISREG(info->st_mode) || info->st_size != 0))) {
      continue;
    }
    SHEAF_TRY(remove_at(m_upper, made->path, made->kind == TargetKind::file ? 0 : AT_REMOVEDIR));
  }
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile std::views::reverse
  for (auto folder = m_copied_up.rbegin(); folder != m_copied_up.rend(); ++folder) {
    const auto info = look(m_upper, folder->path);
    const auto& before = folder->before;
    if (info && info->st_mode == before.st_mode && info->st_uid == before.st_uid && info->st_gid == before.st_gid &&
        same_times(info->st_mtim, before.st_mtim) && !is_opaque(m_upper, folder->path)) {
      SHEAF_TRY(remove_at(m_upper, folder->path, AT_REMOVEDIR));
    }
  }
  return {};
}

} // namespace sheaf::sandbox
