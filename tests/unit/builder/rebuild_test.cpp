// SPDX-License-Identifier: Apache-2.0
#include "builder/rebuild.hpp"
#include "join/facts.hpp"
#include "layer/inventory.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

layer::Entry file(const std::string& path, const std::string& content, unsigned mode = 0644) {
  layer::Entry entry;
  entry.path = path;
  entry.mode = mode;
  entry.size = content.size();
  entry.digest = Sha256().update(content).finish();
  return entry;
}

layer::Entry directory(const std::string& path, unsigned mode = 0755) {
  layer::Entry entry;
  entry.path = path;
  entry.type = layer::EntryType::directory;
  entry.mode = mode;
  return entry;
}

std::string inventory(std::vector<layer::Entry> entries) { return layer::serialise({std::move(entries)}); }
std::string facts(std::vector<join::RecordChange> changes) { return join::serialise({std::move(changes)}); }

Rebuilt rebuilt(std::vector<layer::Entry> entries, std::vector<join::RecordChange> changes = {}) {
  Rebuilt result;
  result.inventory = inventory(std::move(entries));
  result.facts = facts(std::move(changes));
  result.step_starts = {100, 200, 300};
  return result;
}

TEST(StepAt, IsTheLastStepThatHadBegun) {
  const std::vector<WallTime> starts = {100, 200, 300};
  EXPECT_EQ(step_at(99, starts), std::nullopt) << "the bootstrap";
  EXPECT_EQ(step_at(100, starts), 0U);
  EXPECT_EQ(step_at(199, starts), 0U);
  EXPECT_EQ(step_at(250, starts), 1U);
  EXPECT_EQ(step_at(1000, starts), 2U);
  EXPECT_EQ(step_at(1000, {}), std::nullopt);
}

TEST(SeparateSteps, ToldApartByTheTimesOfFiles) {
  const auto tree = os::TempDir::create(testing::TempDir(), "sheaf-steps-").value();
  std::vector<WallTime> starts;
  for (const auto* name : {"one", "two", "three"}) {
    starts.push_back(separate_steps());
    ASSERT_TRUE(os::make_directories(tree.path() + "/d"));
    ASSERT_TRUE(os::write_file(tree.path() + "/d/" + name, "x"));
  }
  const auto times = change_times(tree.path()).value();
  EXPECT_EQ(step_at(times.at("d/one"), starts), 0U);
  EXPECT_EQ(step_at(times.at("d/two"), starts), 1U);
  EXPECT_EQ(step_at(times.at("d/three"), starts), 2U);
  EXPECT_EQ(step_at(times.at("d"), starts), 2U) << "the last that changed it";
}

TEST(CompareBuilds, EqualOnesHaveNoDifference) {
  const std::vector<join::RecordChange> changes = {{"etc/passwd", "a", std::nullopt, "x"}};
  const auto again = rebuilt({directory("opt"), file("opt/x", "1")}, changes);
  EXPECT_THAT(compare_builds(again.inventory, again.facts, again).value(), IsEmpty());
}

TEST(CompareBuilds, NamesPathChangeAndStep) {
  auto again = rebuilt({directory("opt", 0700), file("opt/x", "222"), file("opt/y", "2"), file("opt/z", "z", 0755)});
  again.written = {{"opt", 310}, {"opt/x", 210}, {"opt/y", 110}, {"opt/z", 305}};
  const auto before =
      inventory({directory("opt", 0755), file("opt/x", "1"), file("opt/y", "1"), file("opt/z", "z", 0644)});
  EXPECT_THAT(compare_builds(before, again.facts, again).value(),
              ElementsAre(BuildDifference{"opt/x", "", "contents: 1 bytes before, 3 now", 1},
                          BuildDifference{"opt/y", "", "contents", 0},
                          BuildDifference{"opt/z", "", "mode 0644 before, 0755 now", 2},
                          BuildDifference{"opt", "", "mode 0755 before, 0700 now", 2}));
}

TEST(CompareBuilds, WhatIsGoneIsLaidToWhoChangedItsFolder) {
  auto again = rebuilt({directory("opt"), file("opt/new", "1")});
  again.written = {{"opt", 250}, {"opt/new", 250}};
  EXPECT_THAT(compare_builds(inventory({directory("opt"), file("opt/old", "1")}), again.facts, again).value(),
              ElementsAre(BuildDifference{"opt/new", "", "only in the layer built now", 1},
                          BuildDifference{"opt/old", "", "only in the stored layer", 1}));
}

TEST(CompareBuilds, FactsAreLaidToWhoWroteTheDatabase) {
  auto again = rebuilt({}, {{"etc/passwd", "a", std::nullopt, "2"}, {"etc/passwd", "c", std::nullopt, "1"}});
  again.written = {{"etc/passwd", 150}};
  const auto before = facts({{"etc/passwd", "a", std::nullopt, "1"}, {"etc/passwd", "b", std::nullopt, "1"}});
  EXPECT_THAT(compare_builds(again.inventory, before, again).value(),
              ElementsAre(BuildDifference{"etc/passwd", "a", "another value of a fact", 0},
                          BuildDifference{"etc/passwd", "b", "fact only in the stored layer", 0},
                          BuildDifference{"etc/passwd", "c", "fact only in the layer built now", 0}));
}

TEST(CompareBuilds, ADamagedTextIsAnError) {
  const auto again = rebuilt({});
  EXPECT_EQ(compare_builds("nonsense", again.facts, again).error().code(), ErrorCode::corrupt);
  EXPECT_FALSE(compare_builds(again.inventory, "nonsense", again));
}

} // namespace
} // namespace sheaf::builder
