// SPDX-License-Identifier: Apache-2.0
#include "ui/table.hpp"

#include <gtest/gtest.h>

namespace sheaf::ui {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "SIZE"});
  table.add({"a-long-name", "1"});
  table.add({"b", ""});
  EXPECT_EQ(table.to_string(), "NAME         SIZE\na-long-name  1\nb\n");
}

TEST(Table, AloneItsTitlesAreShown) { EXPECT_EQ(Table({"A", "B"}).to_string(), "A  B\n"); }

/// A letter of two bytes takes one column.
TEST(Table, CountsLettersNotBytes) {
  Table table({"N", "S"});
  table.add({"\xc3\xa9", "1"});
  table.add({"ab", "2"});
  EXPECT_EQ(table.to_string(), "N   S\n\xc3\xa9   1\nab  2\n");
}

} // namespace
} // namespace sheaf::ui
