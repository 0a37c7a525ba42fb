// SPDX-License-Identifier: Apache-2.0
#include "os/mount.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
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

} // namespace

OverlayMarks overlay_marks() { return in_initial_user_namespace() ? OverlayMarks::trusted : OverlayMarks::user; }

std::string_view overlay_prefix() {
  return overlay_marks() == OverlayMarks::trusted ? "trusted.overlay." : "user.overlay.";
}

Result<Fd> mount_overlay(const Overlay& overlay) {
  const auto doing = fmt::format("mounting an overlay of {} layers", overlay.lowers.size());
  SHEAF_TRY_ASSIGN(const Fd fs, new_context("overlay"));
  for (auto lower = overlay.lowers.rbegin(); lower != overlay.lowers.rend(); ++lower) {
    SHEAF_TRY(set_option(fs, "lowerdir+", *lower, doing));
  }
  if (!overlay.upper.empty()) {
    SHEAF_TRY(set_option(fs, "upperdir", overlay.upper, doing));
    SHEAF_TRY(set_option(fs, "workdir", overlay.work, doing));
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
