// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a loaded project to a plan: detect, select, resolve, and say for each layer whether it is there or why not.

#include "app/base_image.hpp"
#include "app/project.hpp"
#include "detect/detect.hpp"
#include "plan/layer_plan.hpp"
#include "resolve/resolve.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

enum class LayerState {
  reused, ///< built before, nothing changed
  build,  ///< has to be built
};
std::string_view to_string(LayerState state);

/// One line of `sheaf plan`.
struct PlannedLayer {
  std::string name;
  std::string kind;
  /// Why it is in the stack.
  std::string reason;
  LayerState state = LayerState::build;
  /// Why it is reused or built.
  std::string why;
  std::vector<std::string> needs;
  /// Empty if it is not known before its needs are built.
  std::string recipe_key;
  /// Of the stored layer; nothing if there is none.
  std::optional<std::uint64_t> bytes;
  /// How long the last build of this name took here, milliseconds.
  std::optional<std::int64_t> expected_ms;
};

/// What a project wants.
struct Wanted {
  detect::Detection detection;
  resolve::Selection selection;
  /// Refers to the project's catalogue.
  resolve::Stack stack;
  plan::Foundation foundation;
  std::vector<plan::LayerPlan> plans;
  /// Doubts about the Containerfiles, laid out for people; usually empty.
  std::string warnings;
};

/// Which files call for which layers, by the catalogue.
std::vector<detect::Rule> detection_rules(const catalogue::Catalogue& catalogue);

/// The findings of the project's files by the rules of its catalogue.
Result<detect::Detection> detect_project(const Project& project);

/// Detects, adds what the settings name, resolves, finds the base's image and plans. Mistakes in Containerfiles and
/// layers that do not fit the base are one `invalid` error.
Result<Wanted> want(const Project& project, const Session& session, Fetch fetch = Fetch::yes);

/// As `want`, but for exactly these layers (and what they need) instead of what was detected.
Result<Wanted> want_layers(const Project& project, const std::vector<std::string>& names, const Session& session);

/// The plans of a stack with the project's arguments. `invalid` for mistakes in Containerfiles.
Result<std::vector<plan::LayerPlan>> plan_stack(const Project& project, const resolve::Stack& stack,
                                                const plan::Foundation& foundation);

/// The state of each planned layer in `store`, in the order of the plans.
Result<std::vector<PlannedLayer>> examine(const std::vector<plan::LayerPlan>& plans, store::Store& store);

} // namespace sheaf::app
