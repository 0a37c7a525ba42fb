// SPDX-License-Identifier: Apache-2.0
#include "app/combinations.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sheaf::app {
namespace {

using catalogue::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
using Names = std::vector<std::string>;

constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

catalogue::LayerDefinition layer(std::string name, Names needs = {}, Names conflicts = {}) {
  catalogue::LayerDefinition layer;
  layer.kind = name == "base" ? Kind::base : Kind::tool;
  layer.name = std::move(name);
  layer.needs = std::move(needs);
  layer.conflicts = std::move(conflicts);
  return layer;
}

const catalogue::Catalogue k_catalogue({layer("base"), layer("a"), layer("b"), layer("c", {"a"}), layer("d", {}, {"b"}),
                                        layer("e"), layer("bad", {"lost"})});

Combinations of(const Names& layers, std::size_t most) {
  auto result = combine(k_catalogue, "base", layers, most);
  EXPECT_TRUE(result) << result.error().render();
  return result.value_or(Combinations());
}

TEST(Combine, GivesEverySelectionOnceTheSmallestFirst) {
  const auto result = of({"e", "a", "b", "a"}, k_all);
  EXPECT_THAT(result.selections, ElementsAre(Names{}, Names{"a"}, Names{"b"}, Names{"e"}, Names{"a", "b"},
                                             Names{"a", "e"}, Names{"b", "e"}, Names{"a", "b", "e"}));
  EXPECT_THAT(result.impossible, IsEmpty());
}

TEST(Combine, StopsAtTheSizeAskedFor) {
  EXPECT_THAT(of({"a", "b", "e"}, 1).selections, ElementsAre(Names{}, Names{"a"}, Names{"b"}, Names{"e"}));
  EXPECT_EQ(of({"a", "b", "e"}, 2).selections.size(), 7U);
}

TEST(Combine, OneStackIsComposedOnce) {
  EXPECT_THAT(of({"base", "a", "c"}, k_all).selections, ElementsAre(Names{}, Names{"a"}, Names{"c"}));
}

TEST(Combine, LeavesOutWhatExcludesEachOther) {
  const auto result = of({"b", "d"}, k_all);
  EXPECT_THAT(result.selections, ElementsAre(Names{}, Names{"b"}, Names{"d"}));
  EXPECT_THAT(result.impossible, ElementsAre(StartsWith("b, d: ")));
}

TEST(Combine, ALayerThatCannotBeAloneIsAnError) {
  EXPECT_EQ(combine(k_catalogue, "base", {"a", "unknown"}, 2).error().code(), ErrorCode::not_found);
  EXPECT_EQ(combine(k_catalogue, "base", {"bad"}, 2).error().code(), ErrorCode::not_found);
}

TEST(Combine, RefusesWhatNobodyWaitsFor) {
  std::vector<catalogue::LayerDefinition> layers = {layer("base")};
  Names names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(fmt::format("l{}", i));
    layers.push_back(layer(names.back()));
  }
  const catalogue::Catalogue catalogue(std::move(layers));
  const auto all = combine(catalogue, "base", names, k_all);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code(), ErrorCode::invalid);
  EXPECT_EQ(combine(catalogue, "base", names, 1)->selections.size(), 101U);
}

} // namespace
} // namespace sheaf::app
