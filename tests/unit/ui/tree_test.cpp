// SPDX-License-Identifier: Apache-2.0
#include "ui/tree.hpp"

#include <gtest/gtest.h>

namespace sheaf::ui {
namespace {

TEST(DrawTree, ChildrenHangBelowTheirParentInOrder) {
  // 0 ─ 1 ─ 3, 0 ─ 2, and 1 ─ 4
  const std::vector<TreeRow> expected = {{0, ""}, {1, "├─ "}, {3, "│  ├─ "}, {4, "│  └─ "}, {2, "└─ "}};
  EXPECT_EQ(draw_tree({std::nullopt, 0, 0, 1, 1}), expected);
}

TEST(DrawTree, RootsHaveNoBranch) {
  const std::vector<TreeRow> expected = {{0, ""}, {2, "└─ "}, {1, ""}};
  EXPECT_EQ(draw_tree({std::nullopt, std::nullopt, 0}), expected);
  EXPECT_TRUE(draw_tree({}).empty());
}

} // namespace
} // namespace sheaf::ui
