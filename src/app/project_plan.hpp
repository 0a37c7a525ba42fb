// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a loaded project to a plan: detect, select, resolve, and say for each layer whether it is there or why not.

#include "app/base_image.hpp"
#include "app/dotfiles.hpp"
#include "app/pins.hpp"
#include "app/project.hpp"
#include "detect/detect.hpp"
#include "plan/layer_plan.hpp"
#include "resolve/resolve.hpp"
#include "resolve/versions.hpp"
#include "store/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// What a project wants.
struct Wanted {
  detect::Detection detection;
  resolve::Selection selection;
  /// The layer that the project's `snippet` makes; null if there is none.
  std::shared_ptr<const catalogue::LayerDefinition> own_layer;
  /// Paths that it was made of: it may be another one when they change.
  std::vector<std::string> own_inputs;
  /// The file that its instructions are written in, and the line on which they begin; null if its lines are not theirs.
  std::shared_ptr<const SourceText> own_source;
  std::size_t own_line = 1;
  /// Refers to the project's catalogue, and to `own_layer`.
  resolve::Stack stack;
  /// Those with which it was locked; the stack has them already.
  std::vector<resolve::Edge> edges;
  plan::Foundation foundation;
  Dotfiles dotfiles;
  /// What becomes of the versions that files ask for.
  std::vector<resolve::VersionChoice> versions;
  /// What was settled about layers before; of the project's.
  Pins pins;
  /// Of the settings, and the versions that are handed over.
  plan::ArgValues args;
  std::vector<plan::LayerPlan> plans;
  /// Doubts about the Containerfiles, laid out for people; usually empty.
  std::string warnings;
};

/// The findings of the project's files by the rules of its catalogue.
Result<detect::Detection> detect_project(const Project& project);

/// What `sheaf detect` tells.
struct Detected {
  /// Without versions of layers that nothing calls for.
  detect::Detection detection;
  /// Of the layers that files or the settings call for.
  std::vector<resolve::VersionChoice> versions;
};
Result<Detected> what_is_detected(const Project& project);

/// Detects, adds what the settings name, resolves, finds the base's image and plans. Mistakes in Containerfiles and
/// layers that do not fit the base are one `invalid` error.
Result<Wanted> want(const Project& project, const Session& session, Fetch fetch = Fetch::yes);

/// As `want`, but for exactly these layers (and what they need) instead of what was detected. The versions that files
/// ask for count all the same, so that a layer is the one that `want` would take.
Result<Wanted> want_layers(const Project& project, const std::vector<std::string>& names, const Session& session,
                           Fetch fetch = Fetch::yes);

/// Takes other pins and plans anew.
Result<void> repin(Wanted& wanted, const Project& project, Pins pins);

/// The plans of `stack`, which is that of `wanted` or one with more edges. `invalid` for mistakes in Containerfiles.
Result<std::vector<plan::LayerPlan>> plan_stack(const Wanted& wanted, const Project& project,
                                                const resolve::Stack& stack);

/// What there is to say about versions: files that could not be read, wishes that are not met or disagree. Each a whole
/// message.
std::vector<std::string> version_warnings(const detect::Detection& detection,
                                          const std::vector<resolve::VersionChoice>& versions);

} // namespace sheaf::app
