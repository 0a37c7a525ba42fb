// SPDX-License-Identifier: Apache-2.0
#include "builder/recipe.hpp"

#include "plan/layer_key.hpp"

namespace sheaf::builder {

store::Recipe recipe_of(const plan::LayerPlan& plan, const std::map<std::string, ContentKey>& closure) {
  store::Recipe recipe;
  for (const auto& step : plan.steps) {
    recipe.instructions.push_back({step.display, Sha256().field(plan::describe(step)).finish().to_string()});
  }
  recipe.files = plan::read_files(plan);
  recipe.arguments = plan.arguments;
  recipe.owner = plan.owner;
  for (const auto& name : plan.closure) {
    if (const auto found = closure.find(name); found != closure.end()) {
      recipe.needs[name] = found->second.hex();
    }
  }
  return recipe;
}

} // namespace sheaf::builder
