// SPDX-License-Identifier: Apache-2.0
// Laws of selections, on generated catalogues: neither the order in which layers are asked for nor what else is asked
// for leaves a trace in a layer's key, and a change reaches the layers above it and no others.

#include "plan/layer_plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace sheaf::plan {
namespace {

using Random = std::mt19937;
using Names = std::vector<std::string>;
/// Layer to recipe key.
using Keys = std::map<std::string, std::string>;

constexpr unsigned k_cases = 12;
constexpr int k_layers = 24;

std::string name_of(int number) { return fmt::format("layer{}", number); }

bool one_in(int count, Random& random) { return std::uniform_int_distribution(1, count)(random) == 1; }

/// Of the layers before `number`, so that there is no cycle.
Names some_before(int number, Random& random) {
  Names names;
  for (int other = 0; other < number; ++other) {
    if (one_in(8, random)) {
      names.push_back(name_of(other));
    }
  }
  return names;
}

/// The files of each layer, by its name.
using Sources = std::map<std::string, std::map<std::string, std::string>>;

Sources generated_sources(Random& random) {
  const Names kinds = {"toolchain", "tool", "agent"};
  Sources sources;
  sources["base"] = {{"layer.yml", "summary: s\nkind: base\nbootstrap: {suite: bookworm}\n"},
                     {"Containerfile", "FROM scratch\nRUN base\n"}};
  for (int number = 0; number < k_layers; ++number) {
    const auto& kind = kinds[std::uniform_int_distribution<std::size_t>(0, kinds.size() - 1)(random)];
    sources[name_of(number)] = {
        {"layer.yml", fmt::format("summary: s\nkind: {}\nneeds: [{}]\nafter: [{}]\nenv: {{V{}: v}}\n", kind,
                                  fmt::join(some_before(number, random), ", "),
                                  fmt::join(some_before(number, random), ", "), number)},
        {"Containerfile", fmt::format("ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nRUN make {}\nCOPY file /\n", number)},
        {"file", fmt::format("of {}", number)}};
  }
  return sources;
}

catalogue::Catalogue catalogue_of(const Sources& sources) {
  Diagnostics diagnostics;
  std::vector<catalogue::LayerDefinition> layers;
  for (const auto& [name, files] : sources) {
    auto layer = catalogue::layer_from_files(name, catalogue::Origin::user, "layers/" + name, files, diagnostics);
    if (layer) {
      layers.push_back(std::move(*layer));
    }
  }
  EXPECT_EQ(diagnostics.render(), "");
  return catalogue::Catalogue(std::move(layers));
}

/// Repeats and any order, as several files may call for one layer.
Names some_selection(Random& random) {
  Names names;
  for (int number = 0; number < k_layers; ++number) {
    for (int times = 0; times < 2; ++times) {
      if (one_in(4, random)) {
        names.push_back(name_of(number));
      }
    }
  }
  std::shuffle(names.begin(), names.end(), random);
  return names;
}

resolve::Stack stack_of(const catalogue::Catalogue& catalogue, const Names& names) {
  resolve::Selection selection{"base", {}};
  for (const auto& name : names) {
    selection.wanted.push_back({name, "named"});
  }
  const auto stack = resolve::resolve(catalogue, selection);
  EXPECT_TRUE(stack) << stack.error().render();
  return stack.value_or(resolve::Stack());
}

std::vector<LayerPlan> plans_of(const resolve::Stack& stack) {
  Diagnostics diagnostics;
  auto plans = plan_layers(stack, {}, {}, diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  return plans;
}

/// As if every layer were built, what it holds being decided by its recipe alone.
Keys keys_of(const std::vector<LayerPlan>& plans) {
  std::map<std::string, ContentKey> contents;
  Keys keys;
  for (const auto& plan : plans) {
    std::map<std::string, ContentKey> closure;
    for (const auto& need : plan.closure) {
      closure.emplace(need, contents.at(need));
    }
    const auto key = recipe_key(plan, closure);
    keys.emplace(plan.name, key.to_string());
    contents.emplace(plan.name, ContentKey{Digest::of(key.to_string())});
  }
  return keys;
}

Keys keys_of(const catalogue::Catalogue& catalogue, const Names& names) {
  return keys_of(plans_of(stack_of(catalogue, names)));
}

Names all_names() {
  Names names;
  for (int number = 0; number < k_layers; ++number) {
    names.push_back(name_of(number));
  }
  return names;
}

/// One generated catalogue, and what a law draws from it.
struct Case {
  explicit Case(unsigned seed) : random(seed), sources(generated_sources(random)), catalogue(catalogue_of(sources)) {}
  Random random;
  Sources sources;
  catalogue::Catalogue catalogue;
};

/// Puts a law to the test in every case.
template <class Law>
void for_each_case(const Law& law) {
  for (unsigned seed = 0; seed < k_cases && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("case {}", seed));
    Case one(seed);
    law(one);
  }
}

TEST(SelectionLaws, OrderLeavesNoTrace) {
  for_each_case([](Case& one) {
    auto names = some_selection(one.random);
    const auto stack = stack_of(one.catalogue, names);
    const auto keys = keys_of(plans_of(stack));
    for (int times = 0; times < 5; ++times) {
      std::shuffle(names.begin(), names.end(), one.random);
      const auto again = stack_of(one.catalogue, names);
      ASSERT_EQ(stack, again);
      ASSERT_EQ(keys, keys_of(plans_of(again)));
    }
  });
}

TEST(SelectionLaws, TheOrderOfTheCatalogueLeavesNoTrace) {
  for_each_case([](Case& one) {
    const auto names = some_selection(one.random);
    std::vector<catalogue::LayerDefinition> layers(one.catalogue.all().begin(), one.catalogue.all().end());
    std::shuffle(layers.begin(), layers.end(), one.random);
    EXPECT_EQ(keys_of(one.catalogue, names), keys_of(catalogue::Catalogue(std::move(layers)), names));
  });
}

/// One more language in one project touches no layer of that project, nor of any other one.
TEST(SelectionLaws, WhatElseIsSelectedTouchesNoLayer) {
  for_each_case([](Case& one) {
    const auto all = keys_of(one.catalogue, all_names());
    for (int times = 0; times < 5; ++times) {
      for (const auto& [layer, key] : keys_of(one.catalogue, some_selection(one.random))) {
        ASSERT_EQ(key, all.at(layer)) << layer;
      }
    }
  });
}

/// Names of the layers in `plans` that are built on `changed`, and itself.
std::set<std::string> reached_by(const std::string& changed, const std::vector<LayerPlan>& plans) {
  std::set<std::string> names;
  for (const auto& plan : plans) {
    if (plan.name == changed || std::ranges::find(plan.closure, changed) != plan.closure.end()) {
      names.insert(plan.name);
    }
  }
  return names;
}

TEST(SelectionLaws, AChangeReachesExactlyWhatIsBuiltOnIt) {
  for_each_case([](Case& one) {
    auto names = all_names();
    const auto before = plans_of(stack_of(one.catalogue, names));
    const auto keys = keys_of(before);
    names.emplace_back("base");
    for (const auto& changed : names) {
      auto sources = one.sources;
      sources[changed]["Containerfile"] += "RUN more\n";
      const auto after = keys_of(catalogue_of(sources), all_names());
      std::set<std::string> touched;
      for (const auto& [layer, key] : after) {
        if (keys.at(layer) != key) {
          touched.insert(layer);
        }
      }
      ASSERT_EQ(touched, reached_by(changed, before)) << "changed: " << changed;
    }
  });
}

/// Built again with the same result, a layer leaves those above it as they were.
TEST(SelectionLaws, AChangeThatGivesTheSameContentReachesNothingElse) {
  for_each_case([](Case& one) {
    const auto plans = plans_of(stack_of(one.catalogue, all_names()));
    for (const auto& plan : plans) {
      std::map<std::string, ContentKey> closure;
      for (const auto& need : plan.closure) {
        closure.emplace(need, ContentKey{Digest::of(need)});
      }
      const auto key = recipe_key(plan, closure);
      if (!closure.empty()) {
        closure.rbegin()->second = ContentKey{Digest::of(closure.rbegin()->first)};
        EXPECT_EQ(key, recipe_key(plan, closure));
        closure.rbegin()->second = ContentKey{Digest::of("other")};
        EXPECT_NE(key, recipe_key(plan, closure));
      }
    }
  });
}

/// The size alone is no obstacle; how long it takes is measured by bench_catalogue.
TEST(LargeCatalogue, TwoThousandDefinitionsResolve) {
  constexpr int k_many = 2000;
  std::vector<catalogue::LayerDefinition> layers(k_many + 1);
  layers[0].name = "base";
  layers[0].kind = catalogue::Kind::base;
  for (int number = 1; number <= k_many; ++number) {
    auto& layer = layers[static_cast<std::size_t>(number)];
    layer.name = name_of(number);
    if (number > 1) {
      layer.needs = {name_of(number / 2)}; // a tree, eleven levels deep
    }
  }
  const catalogue::Catalogue catalogue(std::move(layers));
  Diagnostics diagnostics;
  catalogue.check(diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  EXPECT_EQ(stack_of(catalogue, {name_of(k_many)}).entries.size(), 12U); // the base, and 2000 halved down to 1
  Names all;
  for (int number = k_many; number > 0; --number) {
    all.push_back(name_of(number));
  }
  EXPECT_EQ(stack_of(catalogue, all).entries.size(), k_many + 1U);
}

} // namespace
} // namespace sheaf::plan
