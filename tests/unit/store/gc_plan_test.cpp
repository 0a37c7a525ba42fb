// SPDX-License-Identifier: Apache-2.0
#include "store/gc_plan.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

namespace sheaf::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A store that exists in words only.
class GcPlanTest : public testing::Test {
protected:
  Part& add(const std::string& name, PartKind kind, std::int64_t last_used, std::vector<std::string> needs = {}) {
    auto& part = m_parts.emplace_back();
    part.part = name;
    part.kind = kind;
    part.group = name.substr(0, name.find('-'));
    part.built_at.first = part.last_used = last_used;
    part.needs = std::move(needs);
    return part;
  }

  /// What goes, in order.
  std::vector<std::string> removed(const GcPolicy& policy, std::uint64_t total = 0) {
    const GcQuestions ask{[this](const std::string& part) { return m_in_use.contains(part); },
                          [this](const std::string& part) { return m_bytes.contains(part) ? m_bytes.at(part) : 1; }};
    m_plan = plan_gc(m_parts, policy, total, ask);
    std::vector<std::string> names;
    for (const auto i : m_plan.removed) {
      names.push_back(m_parts[i].part);
    }
    return names;
  }

  Fate fate(const std::string& name) const {
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
      if (m_parts[i].part == name) {
        return m_plan.fates[i];
      }
    }
    throw std::out_of_range(name);
  }

  static GcPolicy everything() { return {std::nullopt, std::nullopt, 1'000'000}; }

  std::vector<Part> m_parts;
  std::set<std::string> m_in_use;
  std::map<std::string, std::uint64_t> m_bytes;
  GcPlan m_plan;
};

TEST_F(GcPlanTest, WhatANamedImageIsMadeOfStays) {
  add("base-1", PartKind::layer, 1);
  add("a-1", PartKind::layer, 1, {"base-1"});
  add("b-1", PartKind::layer, 1, {"base-1"});
  add("image", PartKind::image, 1, {"a-1", "base-1"}).is_root = true;
  EXPECT_THAT(removed(everything()), ElementsAre("b-1"));
  EXPECT_EQ(fate("base-1"), Fate::needed);
}

TEST_F(GcPlanTest, AnImageWithoutANameGoesWithWhatOnlyItNeeds) {
  add("step", PartKind::step, 1);
  add("image", PartKind::image, 1, {"step"});
  EXPECT_THAT(removed(everything()), ElementsAre("image", "step"));
}

TEST_F(GcPlanTest, WhatIsInUseStaysAndKeepsWhatItNeeds) {
  add("base-1", PartKind::layer, 1);
  add("a-1", PartKind::layer, 1, {"base-1"});
  m_in_use = {"a-1"};
  EXPECT_THAT(removed(everything()), IsEmpty());
  EXPECT_EQ(fate("a-1"), Fate::in_use);
  EXPECT_EQ(fate("base-1"), Fate::needed);
}

TEST_F(GcPlanTest, TheNewestBuildsOfEachNameStay) {
  add("a-1", PartKind::layer, 10);
  add("a-2", PartKind::layer, 30);
  add("a-3", PartKind::layer, 20);
  add("b-1", PartKind::layer, 5);
  EXPECT_THAT(removed({1, std::nullopt, std::nullopt}), UnorderedElementsAre("a-1", "a-3"));
  EXPECT_THAT(removed({2, std::nullopt, std::nullopt}), ElementsAre("a-1"));
  EXPECT_THAT(removed({0, std::nullopt, std::nullopt}), ElementsAre("b-1", "a-1", "a-3", "a-2"));
}

TEST_F(GcPlanTest, KeepLastSpeaksOfLayersOnly) {
  add("a-1", PartKind::layer, 10);
  add("step", PartKind::step, 10);
  add("deb", PartKind::cached, 10);
  EXPECT_THAT(removed({0, std::nullopt, std::nullopt}), ElementsAre("a-1"));
}

TEST_F(GcPlanTest, WhatWasUsedSinceStays) {
  add("a-1", PartKind::layer, 10);
  add("a-2", PartKind::layer, 20);
  add("step", PartKind::step, 19);
  EXPECT_THAT(removed({std::nullopt, std::nullopt, 20}), UnorderedElementsAre("a-1", "step"));
}

TEST_F(GcPlanTest, BothPoliciesTogetherSpareWhatEitherSpares) {
  add("a-1", PartKind::layer, 10);
  add("a-2", PartKind::layer, 20);
  add("b-1", PartKind::layer, 5);
  EXPECT_THAT(removed({1, std::nullopt, 10}), IsEmpty());
  EXPECT_THAT(removed({1, std::nullopt, 15}), ElementsAre("a-1"));
}

TEST_F(GcPlanTest, AJoinDoesNotKeepItsLayersAndGoesWithThem) {
  add("a-1", PartKind::layer, 10);
  add("a-2", PartKind::layer, 20);
  add("join", PartKind::join, 50, {"a-1"});
  add("plan", PartKind::record, 50, {"join"});
  EXPECT_THAT(removed({1, std::nullopt, std::nullopt}), ElementsAre("plan", "join", "a-1"));
}

TEST_F(GcPlanTest, AJoinThatAnImageNeedsStaysWithItsLayers) {
  add("a-1", PartKind::layer, 10);
  add("join", PartKind::join, 10, {"a-1"});
  add("image", PartKind::image, 10, {"a-1", "join"}).is_root = true;
  EXPECT_THAT(removed(everything()), IsEmpty());
}

TEST_F(GcPlanTest, RecordsOfWhatIsGoneGoWhateverThePolicy) {
  add("record", PartKind::record, 99, {"steps/gone"});
  EXPECT_THAT(removed({5, std::nullopt, 0}), ElementsAre("record"));
}

TEST_F(GcPlanTest, ASizeTakesWhatWasUsedLeastLatelyAndNoMoreThanNeeded) {
  add("new", PartKind::step, 30);
  add("old", PartKind::step, 10);
  add("middle", PartKind::cached, 20);
  m_bytes = {{"old", 40}, {"middle", 40}, {"new", 40}};
  EXPECT_THAT(removed({std::nullopt, 90, std::nullopt}, 120), ElementsAre("old"));
  EXPECT_EQ(fate("middle"), Fate::spared);
  EXPECT_THAT(removed({std::nullopt, 50, std::nullopt}, 120), ElementsAre("old", "middle"));
  EXPECT_THAT(removed({std::nullopt, 200, std::nullopt}, 120), IsEmpty());
}

TEST_F(GcPlanTest, ALayerNeverGoesBeforeWhatNeedsIt) {
  add("base-1", PartKind::layer, 1); // long not used by itself
  add("a-1", PartKind::layer, 30, {"base-1"});
  add("b-1", PartKind::layer, 20, {"base-1"});
  m_bytes = {{"base-1", 50}, {"a-1", 10}, {"b-1", 10}};
  EXPECT_THAT(removed({std::nullopt, 60, std::nullopt}, 70), ElementsAre("b-1"));
  EXPECT_THAT(removed({std::nullopt, 0, std::nullopt}, 70), ElementsAre("b-1", "a-1", "base-1"));
}

/// Of any store, whatever the policy: what stays has all it needs, and roots and what is in use stay.
TEST_F(GcPlanTest, NothingThatStaysLosesWhatItNeeds) {
  std::mt19937 random(7);
  const auto below = [&random](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
  for (int round = 0; round < 300; ++round) {
    m_parts.clear();
    m_in_use.clear();
    for (std::uint32_t i = 0; i < 20; ++i) {
      const auto kind =
          std::array{PartKind::layer, PartKind::image, PartKind::join, PartKind::step, PartKind::record}[below(5)];
      std::vector<std::string> needs;
      for (std::uint32_t j = 0; j < i; ++j) {
        if (below(6) == 0) {
          needs.push_back(m_parts[j].part);
        }
      }
      const auto name = std::to_string(below(4)) + "-" + std::to_string(i);
      add(name, kind, below(100), needs).is_root = kind == PartKind::image && below(2) == 0;
      if (below(5) == 0) {
        m_in_use.insert(name);
      }
    }
    const GcPolicy policy{below(2) == 0 ? std::optional(below(3)) : std::nullopt,
                          below(2) == 0 ? std::optional<std::uint64_t>(below(20)) : std::nullopt,
                          below(2) == 0 ? std::optional<std::int64_t>(below(100)) : std::nullopt};
    const auto gone = removed(policy, 20);
    const std::set<std::string> set(gone.begin(), gone.end());
    EXPECT_EQ(set.size(), gone.size());
    for (const auto& part : m_parts) {
      const bool stays = !set.contains(part.part);
      EXPECT_TRUE(stays || (!part.is_root && !m_in_use.contains(part.part))) << part.part;
      const bool keeps = part.kind == PartKind::image || part.kind == PartKind::layer;
      for (const auto& need : part.needs) {
        EXPECT_FALSE(stays && keeps && set.contains(need)) << part.part << " lost " << need << " in round " << round;
      }
    }
  }
}

} // namespace
} // namespace sheaf::store
