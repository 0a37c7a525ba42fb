// SPDX-License-Identifier: Apache-2.0
#include "plan/paths.hpp"

#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

TEST(Paths, AreCleanAndStayBelowTheRoot) {
  EXPECT_EQ(clean_path("/a//b/./../c/"), "/a/c");
  EXPECT_EQ(clean_path("../.."), "/");
  EXPECT_EQ(path_in("/w", "a"), "/w/a");
  EXPECT_EQ(path_in("/w", "/a"), "/a");
  EXPECT_EQ(path_in("/w", "../../x"), "/x");
  EXPECT_EQ(relative_path("/"), ".");
  EXPECT_EQ(relative_path("./a/../b/"), "b");
}

TEST(Paths, ADestinationKeepsItsSlash) {
  EXPECT_EQ(destination_in("/w", "a"), "/w/a");
  EXPECT_EQ(destination_in("/w", "a/"), "/w/a/");
  EXPECT_EQ(destination_in("/w", "."), "/w/");
  EXPECT_EQ(destination_in("/w", "./"), "/w/");
  EXPECT_EQ(destination_in("/w", "a/."), "/w/a/");
  EXPECT_EQ(destination_in("/w", ""), "/w/");
  EXPECT_EQ(destination_in("/", "."), "/");
}

} // namespace
} // namespace sheaf::plan
