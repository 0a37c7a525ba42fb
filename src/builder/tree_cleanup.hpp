// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small corrections of a tree that a step wrote, before it is digested.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sheaf::builder {

struct TreeCleanup {
  /// Younger modification times become this one, of directories and links too; seconds since 1970. Nothing keeps them.
  std::optional<std::int64_t> epoch;
  /// Take away the marks by which directories hide what is below. overlayfs puts them on every directory that was made
  /// on an empty root; a tree made there (COPY --link) would hide what it is later laid over.
  bool drop_opaque_marks = false;
};

/// Every whiteout becomes a file of its own with the time 0, as layers have them, so that a tree that was packed and
/// unpacked is the same. The root itself is left alone.
Result<void> clean_tree(const std::string& path, const TreeCleanup& cleanup);

} // namespace sheaf::builder
