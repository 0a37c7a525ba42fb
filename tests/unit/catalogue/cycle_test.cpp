// SPDX-License-Identifier: Apache-2.0
#include "catalogue/cycle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Cycle, FindsNoneInADiamond) {
  EXPECT_THAT(find_cycle({{"a", {"b", "c"}}, {"b", {"d"}}, {"c", {"d"}}, {"d", {"elsewhere"}}}), IsEmpty());
}

TEST(Cycle, LeavesOutTheWayIntoIt) {
  EXPECT_THAT(find_cycle({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}}), ElementsAre("b", "c", "b"));
  EXPECT_THAT(find_cycle({{"a", {"a"}}}), ElementsAre("a", "a"));
}

TEST(Cycle, IsShownWithArrows) { EXPECT_EQ(render_cycle({"a", "b", "a"}), "a → b → a"); }

} // namespace
} // namespace sheaf::catalogue
