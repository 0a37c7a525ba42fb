// SPDX-License-Identifier: Apache-2.0
#pragma once

// A root file system read from its trees, without mounting anything: overlayfs's rules of what hides what, applied one
// folder at a time. Links are never followed, so nothing a tree holds can lead out of it.

#include "base/result.hpp"
#include "layer/inventory.hpp"
#include "os/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::sbom {

/// A folder of the root file system and the trees that together fill it.
struct Folder {
  /// Root-relative; empty for the root.
  std::string path;
  /// Indices of trees, topmost first.
  std::vector<std::size_t> trees;
};

enum class Detail {
  names,   ///< path and type of every entry
  entries, ///< all of it but the digest; `target` and `is_hard_link` say nothing of hard links
};

/// What a name of a folder stands for.
struct TreeEntry {
  layer::Entry entry;
  /// Trees that have this name, topmost first, as far down as they can matter: one, but for folders.
  std::vector<std::size_t> trees;
  /// Which file it is, to tell names of one file; with Detail::entries.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool has_other_names = false;
};

/// Safe to use from several threads. Nobody may change the trees meanwhile.
class TreeStack {
public:
  /// `trees` are paths, bottom first; none is an empty root.
  static Result<TreeStack> open(std::vector<std::string> trees);

  Folder root() const;
  /// Sorted by name. Deleted names and sockets are left out.
  Result<std::vector<TreeEntry>> list(const Folder& folder, Detail detail) const;
  /// The folder that an entry of `list` stands for.
  Result<Folder> enter(const TreeEntry& entry) const;
  /// The entry at `path`, whose folders must not be links; nothing if there is none. With Detail::entries.
  Result<std::optional<TreeEntry>> find(const std::string& path) const;
  /// For reading the file that an entry stands for.
  Result<os::Fd> open_file(const TreeEntry& entry) const;
  /// What the file holds; `invalid` beyond `most` bytes.
  Result<std::string> read(const TreeEntry& entry, std::size_t most) const;
  /// Calls `visit` for every entry, folders before what is in them.
  Result<void> walk(Detail detail, const std::function<Result<void>(const TreeEntry&)>& visit) const;

  /// Paths as they were given, bottom first.
  const std::vector<std::string>& trees() const { return m_paths; }
  /// The descriptor of a tree.
  const os::Fd& tree(std::size_t index) const { return m_trees[index]; }

private:
  explicit TreeStack(std::vector<std::string> paths) : m_paths(std::move(paths)) {}

  std::vector<std::string> m_paths;
  std::vector<os::Fd> m_trees;
};

} // namespace sheaf::sbom
