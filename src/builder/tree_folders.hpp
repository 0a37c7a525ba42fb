// SPDX-License-Identifier: Apache-2.0
#pragma once

// The folders of a tree that will lie on top of a composed root: where a path of the root has its place in it, and
// folders that show there as they are below.

#include "base/result.hpp"
#include "layer/inventory.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sheaf::builder {

/// Mode, owner and extended attributes of what is at `path` in `root`; its target if it is a symlink. Type and times
/// are left out. Nothing if nothing is there.
Result<std::optional<layer::Entry>> attributes_in(const os::Fd& root, const std::string& path);

class TreeFolders {
public:
  /// `tree` is a directory; `root` is the composed root below it, borrowed. What is made gets the time `epoch`.
  TreeFolders(std::string tree, const os::Fd& root, std::int64_t epoch)
      : m_tree(std::move(tree)), m_root(root), m_epoch(epoch) {}

  /// The root-relative path that `path` leads to, links in the root followed for all but its last component: the root
  /// may have /bin as a link to usr/bin, and a folder of that name here would hide it. Makes the folders above it, with
  /// the attributes they have below. `invalid` if the tree itself has a link or file where a folder must be.
  Result<std::string> place_of(const std::string& path);
  /// As place_of, for a path that is a folder itself, which is made as well.
  Result<std::string> folder_of(const std::string& path);
  /// Gives what is at `place` in the tree the mode, owner, extended attributes and time of `wanted`; 0 as a time means
  /// the epoch.
  Result<void> set_attributes(const std::string& place, const layer::Entry& wanted);
  /// Gives every folder its time back, which what was put into it changed. Call it last.
  Result<void> settle_times();

  std::string full_path(const std::string& place) const { return m_tree + "/" + place; }

private:
  Result<void> make_folders(const std::string& folder);

  std::string m_tree;
  const os::Fd& m_root;
  std::int64_t m_epoch;
  std::map<std::string, std::int64_t> m_times; ///< of folders, by place
};

} // namespace sheaf::builder
