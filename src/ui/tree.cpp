// SPDX-License-Identifier: Apache-2.0
#include "ui/tree.hpp"

namespace sheaf::ui {
namespace {

struct Pending {
  std::size_t node;
  /// Drawn in front of the node, and in front of what hangs below it.
  std::string branch;
  std::string below;
};

} // namespace

std::vector<TreeRow> draw_tree(const std::vector<std::optional<std::size_t>>& parents) {
  std::vector<std::vector<std::size_t>> children(parents.size());
  std::vector<Pending> pending; // the next one is the last
  for (std::size_t node = parents.size(); node-- > 0;) {
    if (parents[node]) {
      children[*parents[node]].push_back(node); // from the last to the first, as they are to be pushed
    } else {
      pending.push_back({node, "", ""});
    }
  }
  std::vector<TreeRow> rows;
  while (!pending.empty()) {
    const auto next = std::move(pending.back());
    pending.pop_back();
    rows.push_back({next.node, next.branch});
    bool is_last = true;
    for (const auto child : children[next.node]) {
      pending.push_back({child, next.below + (is_last ? "└─ " : "├─ "), next.below + (is_last ? "   " : "│  ")});
      is_last = false;
    }
  }
  return rows;
}

} // namespace sheaf::ui
