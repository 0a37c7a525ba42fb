// SPDX-License-Identifier: Apache-2.0
#include "resolve/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sheaf::resolve {
namespace {

using catalogue::Catalogue;
using catalogue::Kind;
using catalogue::LayerDefinition;
using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

LayerDefinition layer(std::string name, Kind kind, Names needs = {}, Names after = {}, Names conflicts = {}) {
  LayerDefinition layer;
  layer.name = std::move(name);
  layer.kind = kind;
  layer.needs = std::move(needs);
  layer.after = std::move(after);
  layer.conflicts = std::move(conflicts);
  return layer;
}

Catalogue sample() {
  return Catalogue({layer("base", Kind::base), layer("ubuntu", Kind::base), layer("python", Kind::toolchain),
                    layer("node", Kind::toolchain, {"base"}), layer("zsh", Kind::tool),
                    layer("aws", Kind::tool, {"python"}), layer("early", Kind::toolchain, {}, {"zsh"}),
                    layer("codex", Kind::agent, {"node"}), layer("opencode", Kind::agent, {"node"}),
                    layer("alpha", Kind::project, {"codex", "aws"}), layer("loop1", Kind::tool, {"loop2"}),
                    layer("loop2", Kind::tool, {}, {"loop1"}), layer("nano", Kind::tool, {}, {}, {"zsh"}),
                    layer("on-ubuntu", Kind::tool, {"ubuntu"})});
}

Selection select(const Names& names) {
  Selection selection{"base", {}};
  for (const auto& name : names) {
    selection.wanted.push_back({name, "named"});
  }
  return selection;
}

Names names_of(const Stack& stack) {
  Names names;
  for (const auto& entry : stack.entries) {
    names.push_back(entry.layer->name);
  }
  return names;
}

Names resolved(const Names& names) {
  const auto catalogue = sample();
  const auto stack = resolve(catalogue, select(names));
  return stack ? names_of(*stack) : Names{stack.error().render()};
}

std::string refused(const Names& names) {
  const auto catalogue = sample();
  const auto stack = resolve(catalogue, select(names));
  return stack ? "accepted" : stack.error().render();
}

TEST(Resolve, OrdersByNeedsThenKindThenName) {
  EXPECT_THAT(resolved({}), ElementsAre("base"));
  EXPECT_THAT(resolved({"codex", "aws", "zsh"}), ElementsAre("base", "node", "python", "aws", "zsh", "codex"));
  EXPECT_THAT(resolved({"alpha"}), ElementsAre("base", "node", "python", "aws", "codex", "alpha"));
}

TEST(Resolve, AfterOrdersOnlyWhatIsThere) {
  EXPECT_THAT(resolved({"early"}), ElementsAre("base", "early"));
  EXPECT_THAT(resolved({"early", "zsh"}), ElementsAre("base", "zsh", "early"));
}

TEST(Resolve, KeepsNeedsAndReasons) {
  const auto catalogue = sample();
  Selection selection{"base",
                      {{"codex", "--agents"},
                       {"opencode", "--agents"},
                       {"python", "detected: setup.py"},
                       {"python", "named in sheaf.yml"},
                       {"python", "detected: setup.py"}}};
  const auto stack = resolve(catalogue, selection);
  ASSERT_TRUE(stack.has_value());
  ASSERT_EQ(stack->entries.size(), 5U);
  EXPECT_EQ(stack->entries[0].reason, "the base");
  EXPECT_EQ(stack->entries[1].reason, "needed by codex, opencode");
  EXPECT_THAT(stack->entries[1].needs, testing::IsEmpty()); // the base is not counted
  EXPECT_EQ(stack->entries[2].reason, "detected: setup.py; named in sheaf.yml");
  EXPECT_EQ(stack->entries[3].reason, "--agents");
  EXPECT_THAT(stack->entries[3].needs, ElementsAre("node"));
}

TEST(Resolve, RefusesUnknownNamesWithAdvice) {
  EXPECT_THAT(refused({"pyhton"}), HasSubstr("unknown layer 'pyhton' (named)\n"));
  EXPECT_THAT(refused({"pyhton"}), HasSubstr("did you mean 'python'?"));
  const auto catalogue = sample();
  const auto stack = resolve(catalogue, {"bsae", {}});
  ASSERT_FALSE(stack.has_value());
  EXPECT_EQ(stack.error().code(), ErrorCode::not_found);
  EXPECT_EQ(stack.error().hint(), "did you mean 'base'?");
}

TEST(Resolve, ShowsCyclesAndConflicts) {
  EXPECT_THAT(refused({"loop1"}), HasSubstr("layers wait for each other: loop1 → loop2 → loop1"));
  EXPECT_THAT(refused({"zsh", "nano"}), HasSubstr("layer 'nano' (named) conflicts with 'zsh' (named)"));
}

TEST(Resolve, HasOneBase) {
  EXPECT_THAT(resolved({"base"}), ElementsAre("base"));
  EXPECT_THAT(refused({"on-ubuntu"}), HasSubstr("'ubuntu' (needed by on-ubuntu) is a base, but the base is 'base'"));
  const auto catalogue = sample();
  EXPECT_THAT(resolve(catalogue, {"node", {}}).error().message(), HasSubstr("'node' cannot be the base"));
}

/// Layers that each need and follow some of those before them, so that there is no cycle.
Catalogue random_catalogue(std::mt19937& random) {
  std::vector<LayerDefinition> layers = {layer("base", Kind::base)};
  const std::size_t count = 2 + random() % 20;
  for (std::size_t i = 0; i < count; ++i) {
    auto next = layer("l" + std::to_string(random() % 1000), static_cast<Kind>(1 + random() % 4));
    const bool is_taken =
        std::any_of(layers.begin(), layers.end(), [&](const auto& other) { return other.name == next.name; });
    for (std::size_t j = 0; j < random() % 3 && !is_taken; ++j) {
      next.needs.push_back(layers[random() % layers.size()].name);
      next.after.push_back(layers[random() % layers.size()].name);
    }
    if (!is_taken) {
      layers.push_back(std::move(next));
    }
  }
  return Catalogue(std::move(layers));
}

TEST(Resolve, TheOrderOfTheSelectionNeverMatters) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const auto catalogue = random_catalogue(random);
    auto selection = select({});
    for (const auto& candidate : catalogue.all()) {
      if (random() % 2 == 0) {
        selection.wanted.push_back({candidate.name, "reason " + std::to_string(random() % 3)});
      }
    }
    const auto expected = resolve(catalogue, selection);
    ASSERT_TRUE(expected.has_value()) << expected.error().render();
    auto shuffled = selection;
    shuffled.wanted.insert(shuffled.wanted.end(), selection.wanted.begin(), selection.wanted.end());
    std::shuffle(shuffled.wanted.begin(), shuffled.wanted.end(), random);
    const auto actual = resolve(catalogue, shuffled);
    ASSERT_TRUE(actual.has_value());
    ASSERT_EQ(*actual, *expected);
  }
}

TEST(Resolve, TheOrderOfTheCatalogueNeverMatters) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto catalogue = random_catalogue(random);
  std::vector<LayerDefinition> layers(catalogue.all().begin(), catalogue.all().end());
  std::shuffle(layers.begin(), layers.end(), random);
  const Catalogue other(std::move(layers));
  const auto selection = select(catalogue.names());
  EXPECT_EQ(names_of(resolve(catalogue, selection).value()), names_of(resolve(other, selection).value()));
}

} // namespace
} // namespace sheaf::resolve
