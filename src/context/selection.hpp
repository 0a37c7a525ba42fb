// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which files a COPY or ADD takes from a tree, and under which names: the one place that knows, for the cache key and
// for the copy itself.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <string>
#include <vector>

#include "context/ignore_patterns.hpp"

namespace sheaf::context {

struct Selection {
  /// As in plan::PathSource.
  std::vector<std::string> sources;
  std::vector<std::string> excludes;
  bool parents = false;
};

struct SelectedEntry {
  /// Relative to the tree; links in its parents have been followed within the tree.
  std::string source;
  /// Relative to the destination; empty for the contents of a directory source itself.
  std::string name;
  /// DT_REG, DT_DIR, DT_LNK, DT_FIFO, …; never DT_SOCK or DT_UNKNOWN.
  unsigned char type = 0;
  /// A directory that was not asked for, only something in it (`parents`, exceptions of `excludes`).
  bool is_parent = false;
};

/// Where one source is.
struct FoundSource {
  /// As asked for.
  std::string pattern;
  /// Relative to the tree; all links have been followed.
  std::string path;
  /// The last component as it was asked for.
  std::string name;
  unsigned char type = 0;
  /// With `parents`: what to take of the folder, as a pattern; empty for all.
  std::string below;
  /// Giving nothing is a mistake.
  bool required = false;
};

/// What one source gives.
struct SelectedSource {
  /// As asked for.
  std::string pattern;
  /// True if it is a directory, whose contents are taken; else a file, by its name.
  bool is_directory = false;
  /// Sorted by name, folder by folder: a directory, then all that is in it, then what follows the directory. The first
  /// of a directory source is the directory itself.
  std::vector<SelectedEntry> entries;
  /// Excluded folders that were looked through in vain for exceptions, relative to the tree.
  std::vector<std::string> folders_without_entry;
};

/// `tree` is the context or a composed root; links cannot lead out of it. `ignore` may be null. A pattern with
/// wildcards gives a SelectedSource for each match, and may match nothing; without, `not_found` if it is missing or
/// excluded. `denied` names what may not be read. Sockets are left out. Source: BuildKit, tonistiigi/fsutil.
Result<std::vector<SelectedSource>> select(const os::Fd& tree, const Selection& selection,
                                           const IgnorePatterns* ignore);

/// The two halves of `select`: find_sources looks at the paths of sources, and into folders only for wildcards; `take`
/// walks.
Result<std::vector<FoundSource>> find_sources(const os::Fd& tree, const Selection& selection,
                                              const IgnorePatterns* ignore);
Result<std::vector<SelectedSource>> take(const os::Fd& tree, const Selection& selection, const IgnorePatterns* ignore,
                                         const std::vector<FoundSource>& found);

} // namespace sheaf::context
