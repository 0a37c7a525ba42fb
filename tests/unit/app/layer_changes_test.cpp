// SPDX-License-Identifier: Apache-2.0
#include "app/layer_changes.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

Ingredients sample() {
  Ingredients sample;
  sample.inputs = {{"name", "tool"}, {"platform", "linux/amd64"}, {"instructions", "sha256:1"}};
  sample.recipe.instructions = {{"RUN make", "sha256:a"}, {"RUN test $SIZE", "sha256:b"}};
  sample.recipe.files = {{"patch", "sha256:c"}};
  sample.recipe.arguments = {{"SIZE", "1"}};
  sample.recipe.needs = {{"base", "0123"}};
  return sample;
}

std::vector<std::string> described(const std::vector<LayerChange>& changes) {
  std::vector<std::string> lines;
  for (const auto& change : changes) {
    lines.push_back(describe(change));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LayerChanges, TheSameHasNone) {
  EXPECT_TRUE(own_changes(sample(), sample()).empty());
  EXPECT_TRUE(parent_changes(sample(), sample()).empty());
  EXPECT_EQ(summary({}), "");
}

TEST(LayerChanges, AnArgumentExplainsTheInstructionsThatUseIt) {
  auto now = sample();
  now.inputs["instructions"] = "sha256:2";
  now.recipe.arguments["SIZE"] = "2";
  now.recipe.instructions[1].digest = "sha256:d";
  EXPECT_EQ(described(own_changes(sample(), now)), Lines{"argument SIZE: 1 -> 2"});
}

TEST(LayerChanges, AnArgumentThatNothingUsesIsNoChange) {
  auto now = sample();
  now.recipe.arguments["SIZE"] = "2";
  EXPECT_TRUE(own_changes(sample(), now).empty());
}

TEST(LayerChanges, InstructionsThatCameAndWent) {
  auto now = sample();
  now.inputs["instructions"] = "sha256:2";
  now.recipe.instructions = {{"RUN make -j", "sha256:e"}, {"RUN test $SIZE", "sha256:b"}};
  const Lines expected = {"new instruction: RUN make -j", "no instruction any more: RUN make"};
  EXPECT_EQ(described(own_changes(sample(), now)), expected);
}

TEST(LayerChanges, AnInstructionThatReadsTheSameButRunsElsewhere) {
  auto now = sample();
  now.inputs["instructions"] = "sha256:2";
  now.recipe.instructions[0].digest = "sha256:f";
  EXPECT_EQ(described(own_changes(sample(), now)),
            Lines{"instruction 'RUN make': its variables, user or folder changed"});
}

TEST(LayerChanges, FilesAndParentsByName) {
  auto now = sample();
  now.inputs["files"] = "sha256:3";
  now.recipe.files = {{"other", "sha256:c"}};
  now.recipe.needs = {{"base", "4567"}, {"low", "89ab"}};
  EXPECT_EQ(described(own_changes(sample(), now)), (Lines{"new file 'other'", "no file 'patch' any more"}));
  EXPECT_EQ(described(parent_changes(sample(), now)), (Lines{"parent 'base' changed", "new parent 'low'"}));
  EXPECT_EQ(summary(own_changes(sample(), now)), "new file 'other', and 1 more");
}

TEST(LayerChanges, ARecordWithoutPiecesStillTellsTheInput) {
  auto before = sample();
  before.recipe = {};
  auto now = sample();
  now.inputs["instructions"] = "sha256:2";
  EXPECT_EQ(described(own_changes(before, now)), Lines{"instructions changed"});
}

TEST(LayerChanges, DigestsAreShortAndTerminalsSafe) {
  auto now = sample();
  now.inputs["image"] = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(described(own_changes(sample(), now)), Lines{"new image: sha256:aaaaaaaaaaaa"});
  EXPECT_EQ(describe({"instruction", "", "", "RUN \x1b[2J"}), "new instruction: RUN \\x1b[2J");
}

} // namespace
} // namespace sheaf::app
