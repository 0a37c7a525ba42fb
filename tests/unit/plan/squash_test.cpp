// SPDX-License-Identifier: Apache-2.0
#include "plan/squash.hpp"

#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

TEST(Squash, AddsAStageThatCopiesTheTarget) {
  ImagePlan plan;
  plan.stages.resize(2);
  plan.target = 0;
  auto& target = plan.stages[0];
  target.name = "app";
  target.image.config.user = "dev";
  target.image.history = {{"RUN a", "", false}, {"ENV b", "", true}};
  squash(plan);
  ASSERT_EQ(plan.stages.size(), 3U);
  EXPECT_EQ(plan.target, 2U);
  const auto& made = plan.stages[2];
  EXPECT_EQ(made.image.config.user, "dev");
  EXPECT_EQ(made.base.kind, Source::Kind::nothing);
  EXPECT_EQ(made.needs, std::vector<std::size_t>{0});
  ASSERT_EQ(made.steps.size(), 1U);
  const auto& copy = std::get<CopyStep>(made.steps[0].action);
  EXPECT_EQ(copy.from.kind, Source::Kind::stage);
  EXPECT_EQ(copy.from.stage, 0U);
  ASSERT_EQ(made.image.history.size(), 3U);
  EXPECT_TRUE(made.image.history[0].empty_layer);
  EXPECT_TRUE(made.image.history[1].empty_layer);
  EXPECT_FALSE(made.image.history[2].empty_layer);
}

} // namespace
} // namespace sheaf::plan
