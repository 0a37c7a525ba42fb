// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looks at a project's files and says which layers they call for and which versions they ask for, with the evidence. It
// knows no catalogue: the caller passes the rules. It opens directories, ignore files, and files whose version a rule
// wants; nothing else.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::detect {

/// What a file of this name means for this layer.
struct Rule {
  std::string layer;
  /// As for glob(7), over the file's name; with a '/', over its path below the root.
  std::string glob;
  /// Where in the file the wanted version stands, see `find_version`; empty: the file is not read.
  std::string version;
  /// The version found there means that one or any newer.
  bool is_minimum = false;
  /// False: the file does not call for the layer, it only says the version.
  bool calls = true;
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
  /// For people, for example "pyproject.toml: project.requires-python".
  std::string what;
  /// A range for `VersionRange`, or a name; empty if none is asked for here.
  std::string version;
  /// False: the file only says the version.
  bool calls = true;
  /// The place of the rule among the rules.
  std::size_t rule = 0;
  bool operator==(const Finding&) const = default;
};

/// A directory or a file that was read. As long as none of them changes, a new walk finds the same.
struct Seen {
  /// Relative to the root, which is ".".
  std::string path;
  std::int64_t mtime_ns = 0;
  bool operator==(const Seen&) const = default;
};

/// A file whose version could not be looked up.
struct Unread {
  std::string file;
  /// For people: "line 3 is not JSON".
  std::string why;
  bool operator==(const Unread&) const = default;
};

struct Detection {
  /// The shallowest first, then by file, layer and line.
  std::vector<Finding> findings;
  /// Sorted by path.
  std::vector<Seen> seen;
  /// Sorted by file.
  std::vector<Unread> unread;
};

/// Walks below `root`. Only regular files count; links are not followed; what `.gitignore` files and
/// `.git/info/exclude` of the project ignore, hidden directories, `node_modules`, `target`, `vendor` and the like are
/// skipped, directories that cannot be read too. `not_found` or `denied` if `root` itself cannot be read. Costs one
/// stat per directory and none per file.
Result<Detection> detect(const std::string& root, std::span<const Rule> rules, const Options& options = {});

/// The findings about that layer that ask for a version, the one that counts most first: nearer to the root, then by
/// the order of the rules, then by file.
std::vector<Finding> versions_for(const Detection& detection, std::string_view layer);

} // namespace sheaf::detect
