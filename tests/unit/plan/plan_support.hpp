// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue/catalogue.hpp"
#include "plan/layer_plan.hpp"
#include "resolve/resolve.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace sheaf::plan {

/// Layers as text: name to files.
using Sources = std::map<std::string, std::map<std::string, std::string>>;

inline std::string containerfile(const std::string& instructions) {
  return "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n" + instructions;
}

/// A layer of kind tool with a Containerfile.
inline std::map<std::string, std::string> tool(const std::string& instructions, const std::string& more_yml = {}) {
  return {{"layer.yml", "summary: s\nkind: tool\n" + more_yml}, {"Containerfile", containerfile(instructions)}};
}

/// As tool(), but of kind project, whose configuration says how an environment starts.
inline std::map<std::string, std::string> project(const std::string& instructions, const std::string& more_yml = {}) {
  return {{"layer.yml", "summary: s\nkind: project\n" + more_yml}, {"Containerfile", containerfile(instructions)}};
}

inline std::map<std::string, std::string> base_layer() {
  return {{"layer.yml", "summary: s\nkind: base\nbootstrap:\n  suite: bookworm\n"},
          {"Containerfile", containerfile("")}};
}

struct Planned {
  std::vector<LayerPlan> plans;
  std::string mistakes;

  const LayerPlan& of(const std::string& name) const {
    for (const auto& plan : plans) {
      if (plan.name == name) {
        return plan;
      }
    }
    throw std::out_of_range(name);
  }
  /// Its key when every need has the content that `contents` says, or one made from its name.
  RecipeKey key(const std::string& name, const std::map<std::string, std::string>& contents = {}) const {
    std::map<std::string, ContentKey> closure;
    for (const auto& need : of(name).closure) {
      const auto found = contents.find(need);
      closure[need] = ContentKey{Digest::of(found != contents.end() ? found->second : need)};
    }
    return recipe_key(of(name), closure);
  }
};

/// Plans `wanted` of `sources`, to which a base is added.
inline Planned plan_of(Sources sources, const std::vector<std::string>& wanted, const ArgValues& args = {},
                       const Foundation& foundation = {}) {
  sources.emplace("base", base_layer());
  Diagnostics diagnostics;
  std::vector<catalogue::LayerDefinition> layers;
  for (auto& [name, files] : sources) {
    auto layer = catalogue::layer_from_files(name, catalogue::Origin::project, "layers/" + name, files, diagnostics);
    if (layer) {
      layers.push_back(std::move(*layer));
    }
  }
  const catalogue::Catalogue catalogue(std::move(layers));
  resolve::Selection selection{"base", {}};
  for (const auto& name : wanted) {
    selection.wanted.push_back({name, "asked for"});
  }
  const auto stack = resolve::resolve(catalogue, selection);
  if (!stack || diagnostics.error_count() > 0) {
    ADD_FAILURE() << diagnostics.render() << (stack ? std::string() : stack.error().render());
    return {};
  }
  Planned planned;
  planned.plans = plan_layers(*stack, args, foundation, diagnostics);
  planned.mistakes = diagnostics.error_count() > 0 ? diagnostics.render() : "";
  return planned;
}

inline LayerPlan plan_one(const std::string& instructions, const std::string& more_yml = {},
                          const ArgValues& args = {}) {
  auto planned = plan_of({{"x", tool(instructions, more_yml)}}, {"x"}, args);
  EXPECT_EQ(planned.mistakes, "");
  return planned.of("x");
}

inline ConfigDelta project_config(const std::string& instructions, const std::string& more_yml = {}) {
  return plan_of({{"x", project(instructions, more_yml)}}, {"x"}).of("x").config;
}

template <class Action>
const Action& action(const LayerPlan& plan, std::size_t number) {
  return std::get<Action>(plan.steps.at(number).action);
}

} // namespace sheaf::plan
