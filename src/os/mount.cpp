// SPDX-License-Identifier: Apache-2.0
#include "os/mount.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::os {
namespace {

int fs_config(const Fd& fs, unsigned command, const char* key, const char* value) {
  return static_cast<int>(syscall(SYS_fsconfig, fs.get(), command, key, value, 0));
}

/// The kernel's own words for the last failure on a file system context, if it left any.
std::string kernel_message(const Fd& fs) {
  std::string text(512, '\0');
  const auto got = ::read(fs.get(), text.data(), text.size());
  if (got <= 0) {
    return {};
  }
  text.resize(static_cast<std::size_t>(got));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.size() > 2 && text[1] == ' ' ? text.substr(2) : text; // "e overlay: …" begins with its severity
}

Error context_error(const Fd& fs, const std::string& doing) {
  const int number = errno;
  const auto detail = kernel_message(fs);
  return Error::from_errno(number, detail.empty() ? doing : fmt::format("{} ({})", doing, detail));
}

Result<Fd> new_context(const std::string& type) {
  Fd fs(static_cast<int>(syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
  if (!fs) {
    return Error::from_errno(errno, fmt::format("opening file system '{}'", type));
  }
  return fs;
}

Result<Fd> create_mount(const Fd& fs, const std::string& doing, unsigned attributes) {
  if (fs_config(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0) {
    return context_error(fs, doing);
  }
  Fd mount(static_cast<int>(syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, attributes)));
  if (!mount) {
    return context_error(fs, doing);
  }
  return mount;
}

Result<void> set_option(const Fd& fs, const std::string& key, const std::string& value, const std::string& doing) {
  const int result = value.empty() ? fs_config(fs, FSCONFIG_SET_FLAG, key.c_str(), nullptr)
                                   : fs_config(fs, FSCONFIG_SET_STRING, key.c_str(), value.c_str());
  if (result != 0) {
    return context_error(fs, fmt::format("{}: option '{}{}{}'", doing, key, value.empty() ? "" : "=", value));
  }
  return {};
}

/// fsconfig(2) takes strings of at most 256 bytes, the final zero included.
constexpr std::size_t k_longest_value = 255;
/// OVL_MAX_STACK of the kernel's fs/overlayfs/params.c.
constexpr std::size_t k_most_lowers = 500;

/// Sets directories of an overlay. One with a long path, or with a backslash, which the kernel would take for an
/// escape, is named through a descriptor of it, which stays open until the mount is made.
class DirectoryOptions {
public:
  DirectoryOptions(const Fd& fs, const std::string& doing) : m_fs(fs), m_doing(doing) {}

  Result<void> set(const std::string& key, const std::string& path) {
    if (path.size() <= k_longest_value && path.find('\\') == std::string::npos) {
      return set_option(m_fs, key, path, m_doing);
    }
    SHEAF_TRY_ASSIGN(auto directory, open(path, O_PATH | O_DIRECTORY));
    SHEAF_TRY(set_option(m_fs, key, fmt::format("/proc/self/fd/{}", directory.get()), m_doing)
                  .context(fmt::format("using '{}' as {}", path, key)));
    m_open.push_back(std::move(directory));
    return {};
  }

private:
  const Fd& m_fs;
  const std::string& m_doing;
  std::vector<Fd> m_open;
};

constexpr std::string_view k_where =
    "stores work on ext4, xfs, btrfs and tmpfs; choose another place with --root or SHEAF_ROOT";

/// Without attributes the kernel mounts an overlay all the same, and then programs fail to remove what lies below.
Result<void> check_attributes(const std::string& upper, const std::string& doing) {
  const auto mark = std::string(overlay_prefix()) + "opaque";
  if (lgetxattr(upper.c_str(), mark.c_str(), nullptr, 0) < 0 && errno == EOPNOTSUPP) {
    return Error::from_errno(EOPNOTSUPP,
                             fmt::format("{}: '{}' is on a file system without extended attributes", doing, upper))
        .with_code(ErrorCode::unsupported)
        .with_hint(std::string(k_where));
  }
  return {};
}

} // namespace

OverlayMarks overlay_marks() { return in_initial_user_namespace() ? OverlayMarks::trusted : OverlayMarks::user; }

std::string_view overlay_prefix() {
  return overlay_marks() == OverlayMarks::trusted ? "trusted.overlay." : "user.overlay.";
}

Result<Fd> mount_overlay(const Overlay& overlay) {
  const auto doing = fmt::format("mounting an overlay of {} layers", overlay.lowers.size());
  if (overlay.lowers.size() > k_most_lowers) {
    return Error(ErrorCode::unsupported, fmt::format("{}: the kernel takes at most {}", doing, k_most_lowers))
        .with_hint("flatten the stack: write several layers that always go together as one layer");
  }
  SHEAF_TRY_ASSIGN(const Fd fs, new_context("overlay"));
  DirectoryOptions directories(fs, doing);
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile std::views::reverse
  for (auto lower = overlay.lowers.rbegin(); lower != overlay.lowers.rend(); ++lower) {
    SHEAF_TRY(directories.set("lowerdir+", *lower));
  }
  if (!overlay.upper.empty()) {
    SHEAF_TRY(check_attributes(overlay.upper, doing));
    SHEAF_TRY(directories.set("upperdir", overlay.upper).hint(k_where));
    SHEAF_TRY(directories.set("workdir", overlay.work));
    if (overlay.is_volatile) {
      SHEAF_TRY(set_option(fs, "volatile", "", doing));
    }
  }
  for (const auto* feature : {"index", "xino"}) {
    SHEAF_TRY(set_option(fs, feature, "off", doing));
  }
  if (overlay_marks() == OverlayMarks::user) {
    // It switches redirect_dir and metacopy off, and refuses to be told so.
    SHEAF_TRY(set_option(fs, "userxattr", "", doing));
  } else {
    SHEAF_TRY(set_option(fs, "redirect_dir", "off", doing));
    SHEAF_TRY(set_option(fs, "metacopy", "off", doing));
  }
  // Whatever device nodes a layer brings or makes, they open nothing.
  return create_mount(fs, doing, MOUNT_ATTR_NODEV);
}

Result<Fd> mount_file_system(const std::string& type, const std::vector<std::pair<std::string, std::string>>& options,
                             unsigned attributes) {
  const auto doing = fmt::format("mounting {}", type);
  SHEAF_TRY_ASSIGN(const Fd fs, new_context(type));
  for (const auto& [key, value] : options) {
    SHEAF_TRY(set_option(fs, key, value, doing));
  }
  return create_mount(fs, doing, attributes);
}

Result<Fd> clone_tree(const std::string& path, Recursive recursive) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive == Recursive::yes ? AT_RECURSIVE : 0U);
  Fd mount(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path.c_str(), flags)));
  if (!mount && errno == EACCES) { // the caller may go there, but not clone
    SHEAF_TRY_ASSIGN(const Fd place, open(path, O_PATH));
    mount = Fd(static_cast<int>(syscall(SYS_open_tree, place.get(), "", flags | AT_EMPTY_PATH)));
  }
  if (!mount) {
    return Error::from_errno(errno, fmt::format("cloning the mount of '{}'", path));
  }
  return mount;
}

Result<void> set_mount_attributes(const Fd& mount, unsigned long attributes, Recursive recursive) {
  struct mount_attr attr {};
  attr.attr_set = attributes;
  const unsigned flags = AT_EMPTY_PATH | (recursive == Recursive::yes ? AT_RECURSIVE : 0U);
  if (syscall(SYS_mount_setattr, mount.get(), "", flags, &attr, sizeof attr) != 0) {
    return Error::from_errno(errno, "setting mount attributes");
  }
  return {};
}

Result<void> map_mount_owners(const Fd& mount, const Fd& ids) {
  struct mount_attr attr {};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<unsigned>(ids.get());
  if (syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
    return Error::from_errno(errno, "mapping the owner of a mount").with_code(ErrorCode::unsupported);
  }
  return {};
}

Result<void> attach(const Fd& mount, const std::string& path) {
  if (syscall(SYS_move_mount, mount.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return Error::from_errno(errno, fmt::format("attaching a mount at '{}'", path));
  }
  return {};
}

Result<void> attach_in_root(const Fd& mount, const Fd& root, const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd target, open_in_root(root, path, O_PATH));
  if (syscall(SYS_move_mount, mount.get(), "", target.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) !=
      0) {
    return Error::from_errno(errno, fmt::format("attaching a mount at '{}'", path));
  }
  return {};
}

} // namespace sheaf::os
