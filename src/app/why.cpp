// SPDX-License-Identifier: Apache-2.0
#include "app/why.hpp"

#include "base/suggest.hpp"
#include "builder/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace sheaf::app {
namespace {

std::vector<LayerChange> all_changes(const Ingredients& before, const Ingredients& now) {
  auto changes = own_changes(before, now);
  std::ranges::copy(parent_changes(before, now), std::back_inserter(changes));
  return changes;
}

/// Why the build that is used was made: against the one before it of the same owner.
Result<void> look_back(Explanation& explanation, store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto builds, store.history(explanation.line.name)); // the newest come first
  const auto& key = explanation.line.recipe_key;
  const auto used =
      std::ranges::find_if(builds, [&key](const auto& layer) { return layer.record.recipe_key.to_string() == key; });
  if (used == builds.end()) {
    return {};
  }
  explanation.build = used->record;
  const auto older = std::find_if(std::next(used), builds.end(), [&used](const auto& layer) {
    return owner_of(layer.record) == owner_of(used->record);
  });
  if (older != builds.end()) {
    explanation.before = older->record;
    explanation.changes = all_changes(ingredients_of(older->record), ingredients_of(used->record));
  }
  return {};
}

/// The stack that has the layer: the project's if it is in it.
Result<Wanted> stack_with(const Project& project, const std::string& layer, const Session& session, bool& is_in_stack) {
  SHEAF_TRY_ASSIGN(auto wanted, want(project, session, Fetch::no));
  is_in_stack = std::ranges::find(wanted.plans, layer, &plan::LayerPlan::name) != wanted.plans.end();
  if (is_in_stack) {
    return wanted;
  }
  if (project.catalogue.find(layer) == nullptr) {
    return Error(ErrorCode::not_found, fmt::format("no layer is called '{}'", layer))
        .with_hint(did_you_mean(layer, project.catalogue.names()));
  }
  return want_layers(project, {layer}, session, Fetch::no);
}

} // namespace

Result<Explanation> explain(const Project& project, const std::string& layer, const Session& session) {
  Explanation explanation;
  SHEAF_TRY_ASSIGN(const auto wanted, stack_with(project, layer, session, explanation.is_in_stack));
  SHEAF_TRY_ASSIGN(auto lines, examine(wanted, project, session, Ask::caches));
  const auto line = std::ranges::find(lines, layer, &PlannedLayer::name);
  explanation.line = std::move(*line);
  const auto planned = std::ranges::find(wanted.plans, layer, &plan::LayerPlan::name);
  if (explanation.line.state == LayerState::reused) {
    SHEAF_TRY(look_back(explanation, session.store));
    return explanation;
  }
  SHEAF_TRY_ASSIGN(const auto before, likest_build(*planned, session.store));
  if (before) {
    explanation.before = before->record;
    explanation.changes = explanation.line.changes;
  }
  return explanation;
}

} // namespace sheaf::app
