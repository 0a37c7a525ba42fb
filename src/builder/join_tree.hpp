// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the tree of a join layer: the files, links and directories that the join decided, with the attributes they
// have in the composed root below it.

#include "base/result.hpp"
#include "builder/tree_folders.hpp"
#include "join/join.hpp"
#include "layer/capture.hpp"
#include "layer/inventory.hpp"

#include <cstdint>
#include <string>

namespace sheaf::builder {

class JoinTree {
public:
  /// `path` is an existing, empty directory; every time in it becomes `epoch`.
  JoinTree(const std::string& path, const layer::ParentView& below, std::int64_t epoch)
      : m_folders(path, below.root(), epoch), m_below(below) {}

  /// A directory that shows in the composed root as `wanted` says.
  Result<void> add_directory(const layer::Entry& wanted);
  /// `path` is root-relative. The file keeps the attributes it has below; a new one gets `attributes`.
  Result<void> add_file(const std::string& path, const std::string& content, const join::FileAttributes& attributes);
  /// Makes the symlink be as `link` says, if it is not so already.
  Result<void> add_link(const std::string& path, const join::Link& link);
  /// Gives every folder its time. Call it last.
  Result<void> finish() { return m_folders.settle_times(); }

private:
  Result<unsigned> group_id(std::string_view name) const;

  TreeFolders m_folders;
  const layer::ParentView& m_below;
};

} // namespace sheaf::builder
