// SPDX-License-Identifier: Apache-2.0
#pragma once

// A tree drawn with lines, one row per node, for the first column of a table.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::ui {

struct TreeRow {
  /// Place of the node in what `draw_tree` was given.
  std::size_t node = 0;
  /// "", "├─ ", "│  └─ ", …
  std::string branch;
  bool operator==(const TreeRow&) const = default;
};

/// Every node below its parent, children in the order given. `parents` has for each node the place of its parent, which
/// comes before it; nothing for a root.
std::vector<TreeRow> draw_tree(const std::vector<std::optional<std::size_t>>& parents);

} // namespace sheaf::ui
