// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts generated files into the tree of a join layer: files, links and deletions, below folders with the attributes
// that they have in the composed root.

#include "base/result.hpp"
#include "builder/tree_folders.hpp"
#include "layer/inventory.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <string>

namespace sheaf::builder {

/// All paths are root-relative.
class OutputTree {
public:
  /// Writes below `path`; `root` is the composed root, borrowed. `epoch` is the time of all that is made here.
  OutputTree(const std::string& path, const os::Fd& root, std::int64_t epoch)
      : m_folders(path, root, epoch), m_root(root) {}

  Result<void> add_file(const std::string& path, std::string_view content);
  Result<void> add_link(const std::string& path, const std::string& target);
  Result<void> add_deletion(const std::string& path);
  /// The entry as it is at `source`, a tree on the same file system: files get a second name, nothing is copied.
  Result<void> add_existing(const layer::Entry& entry, const std::string& source);

  /// Gives every folder its time. Call it last.
  Result<void> finish() { return m_folders.settle_times(); }

private:
  TreeFolders m_folders;
  const os::Fd& m_root;
};

/// Does some path of the composed `root` match? `pattern` has no "**".
bool any_match(const os::Fd& root, std::string_view pattern);

} // namespace sheaf::builder
