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
  /// DT_REG, DT_DIR, DT_LNK, DT_FIFO, …
  unsigned char type = 0;
};

/// What one source gives.
struct SelectedSource {
  /// As asked for.
  std::string pattern;
  /// True if it is a directory, whose contents are taken; else a file, by its name.
  bool is_directory = false;
  /// Sorted by name, a directory before what is in it.
  std::vector<SelectedEntry> entries;
};

/// `tree` is the context or a composed root; links cannot lead out of it. `ignore` may be null. `not_found` if a source
/// without wildcards is missing or excluded, or one with wildcards matches nothing and no other does (as BuildKit has
/// it); `denied` names what may not be read.
Result<std::vector<SelectedSource>> select(const os::Fd& tree, const Selection& selection,
                                           const IgnorePatterns* ignore);

} // namespace sheaf::context
