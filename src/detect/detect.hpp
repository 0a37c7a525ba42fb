// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looks at the names of a project's files and says which layers they call for, with the evidence. It knows no
// catalogue: the caller passes the rules. It opens no file but directories.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sheaf::detect {

/// A file of this name calls for this layer.
struct Rule {
  std::string layer;
  /// As for glob(7), over the file's name; with a '/', over its path below the root.
  std::string glob;
};

struct Options {
  /// How many levels below the root are looked at; 0 is the root alone.
  std::size_t depth = 4;
};

struct Finding {
  std::string layer;
  /// Relative to the root.
  std::string file;
  /// 1-based; 0 if the file's existence is the evidence.
  std::size_t line = 0;
  /// For people, for example "pyproject.toml".
  std::string what;
  bool operator==(const Finding&) const = default;
};

/// A directory the walk has read. As long as none of them changes, a new walk finds the same.
struct WalkedDirectory {
  /// Relative to the root, which is ".".
  std::string path;
  std::int64_t mtime_ns = 0;
  bool operator==(const WalkedDirectory&) const = default;
};

struct Detection {
  /// The shallowest first, then by file and layer.
  std::vector<Finding> findings;
  /// Sorted by path.
  std::vector<WalkedDirectory> directories;
};

/// Walks below `root`. Only regular files count; links are not followed; hidden directories, `node_modules`, `target`,
/// `vendor` and the like are skipped, directories that cannot be read too. `not_found` or `denied` if `root` itself
/// cannot be read. Costs one stat per directory and none per file.
Result<Detection> detect(const std::string& root, std::span<const Rule> rules, const Options& options = {});

} // namespace sheaf::detect
