// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace sheaf {
namespace {

const std::array<std::string, 4> k_names = {"python", "node", "codex", "opencode"};

TEST(Suggest, FindsSlips) {
  EXPECT_EQ(nearest("pyhton", k_names), "python");
  EXPECT_EQ(nearest("Codx", k_names), "codex");
  EXPECT_EQ(nearest("nodee", k_names), "node");
}

TEST(Suggest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("terraform", k_names), std::nullopt);
  EXPECT_EQ(did_you_mean("x", k_names), "");
}

TEST(Suggest, DistanceIsAMetricOnSmallWords) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), edit_distance("sitting", "kitten"));
}

} // namespace
} // namespace sheaf
