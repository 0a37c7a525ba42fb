// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a path means inside a tree once its links are followed, as text: for who needs the real names, not a descriptor.
// Nobody else may change the tree meanwhile; what is opened afterwards is still opened beneath the tree's descriptor.

#include "os/fd.hpp"

#include <string>
#include <vector>

namespace sheaf::os {

enum class Missing {
  fails,   ///< `not_found` if a component is missing
  is_kept, ///< what is missing stays as it was written
};

struct ResolvedPath {
  /// Relative to the tree, without links, "." and ".."; empty for the tree itself.
  std::string path;
  /// The links that were followed, each relative to the tree, in their order.
  std::vector<std::string> links;
};

/// `path` as chroot(2) into `root` would read it: absolute links start there, ".." stops there.
Result<ResolvedPath> resolve_in_root(const Fd& root, const std::string& path, Missing missing);

/// `path` without ".", "..", doubled and outer slashes, never above its start: "/a/../../b/" is "b". Links are not
/// looked at.
std::string clean_relative(std::string_view path);

} // namespace sheaf::os
