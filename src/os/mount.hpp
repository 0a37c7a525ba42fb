// SPDX-License-Identifier: Apache-2.0
#pragma once

// The new mount API (fsopen, fsmount, move_mount, mount_setattr). A mount that is only a descriptor is visible to
// nobody and gone when the descriptor is closed; the sandbox attaches such mounts inside its own mount namespace.

#include "os/fd.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sheaf::os {

/// Where overlayfs keeps its marks: `trusted.overlay.*` needs real root, `user.overlay.*` does not.
enum class OverlayMarks { trusted, user };
/// What this process can use: trusted outside of a user namespace, user inside of one.
OverlayMarks overlay_marks();
/// "trusted.overlay." or "user.overlay.".
std::string_view overlay_prefix();

struct Overlay {
  /// Bottom first, at least one.
  std::vector<std::string> lowers;
  /// Both empty for a read-only view of at least two lowers.
  std::string upper;
  std::string work;
  /// No fsync reaches the disk through this mount: what is built is made durable at commit or thrown away.
  bool is_volatile = false;
};
/// A detached overlay mount. Paths may be of any length. `unsupported` beyond 500 lowers, the kernel's limit
/// (OVL_MAX_STACK). All features that write marks of their own (redirect_dir, metacopy, index, xino) are off.
Result<Fd> mount_overlay(const Overlay& overlay);

/// A detached new mount of file system `type` with string options; an empty value is a flag.
Result<Fd> mount_file_system(const std::string& type, const std::vector<std::pair<std::string, std::string>>& options,
                             unsigned attributes = 0);
/// A detached clone of the tree at `path`, submounts included when `recursive`.
enum class Recursive { no, yes };
Result<Fd> clone_tree(const std::string& path, Recursive recursive);
/// Sets MOUNT_ATTR_* on a detached mount; `recursive` covers its submounts.
Result<void> set_mount_attributes(const Fd& mount, unsigned long attributes, Recursive recursive);
/// Shows the owners of files as the user namespace `ids` maps them, in this mount only (see swapped_user_namespace).
/// `unsupported` where the file system cannot (mount_setattr(2), ID-mapped mounts) or the caller is not root.
Result<void> map_mount_owners(const Fd& mount, const Fd& ids);
/// Attaches a detached mount at `path`.
Result<void> attach(const Fd& mount, const std::string& path);
/// Attaches a detached mount at `path` as seen from `root`, which symlinks cannot leave.
Result<void> attach_in_root(const Fd& mount, const Fd& root, const std::string& path);

} // namespace sheaf::os
