// SPDX-License-Identifier: Apache-2.0
#include "join/three_way.hpp"

#include <gtest/gtest.h>

namespace sheaf::join {
namespace {

TEST(ThreeWay, TakesTheChangedSide) {
  const int base = 0;
  const int one = 1;
  const int two = 2;
  EXPECT_EQ(*three_way(base, one, base), 1);
  EXPECT_EQ(*three_way(base, base, one), 1);
  EXPECT_EQ(*three_way(base, two, two), 2);
  EXPECT_EQ(three_way(base, one, two), nullptr);
}

TEST(ThreeWay, MergesSets) {
  EXPECT_EQ(three_way_set("", "b", "a", ","), "a,b");
  EXPECT_EQ(three_way_set("z,b", "z,b,x", "z,a", ","), "a,x,z");
  EXPECT_EQ(three_way_set("a", "", "a, b", ", "), "b");
  EXPECT_EQ(three_way_set("a, b", "a, b", "a, b", ", "), "a, b");
  EXPECT_EQ(three_way_set("", "", "", ","), "");
}

} // namespace
} // namespace sheaf::join
