// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stack turned into what the builder carries out: for each layer its steps, its configuration and the named inputs of
// its recipe key. Pure: nothing is read, nothing is run.

#include "base/capture_rule.hpp"
#include "base/config_delta.hpp"
#include "base/diagnostics.hpp"
#include "base/digest.hpp"
#include "catalogue/layer_definition.hpp"
#include "plan/foundation.hpp"
#include "plan/step.hpp"
#include "resolve/resolve.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::plan {

/// What a lock file says of a layer.
struct LockedContent {
  RecipeKey recipe;
  ContentKey content;
  /// Any other content is an error, not only a warning.
  bool is_strict = false;
};

struct LayerPlan {
  std::string name;
  std::string kind;
  /// Why it is in the stack.
  std::string reason;
  /// Every layer it is built on, the base first, in the order of resolve::closure_of; empty for the base.
  std::vector<std::string> closure;
  /// Names of the layers whose files it may replace or delete.
  std::vector<std::string> replaces;
  std::optional<catalogue::Bootstrap> bootstrap;
  /// What a base is made of instead.
  std::optional<BaseImage> image;
  /// `Source::Kind::context` is `files`; no step reads from anywhere else.
  std::vector<Step> steps;
  ConfigDelta config;
  /// Values of the layer's arguments, defaults included, by the names that its Containerfile sees.
  std::map<std::string, std::string> arguments;
  /// The layer's own rows of the capture table.
  std::vector<CaptureRule> capture;
  /// The build context: relative path to content.
  std::map<std::string, std::string> files;
  /// What decides the result besides the content of the closure: name to value or digest.
  std::map<std::string, std::string> inputs;
  /// No part of the key.
  std::optional<LockedContent> locked;
  /// As in the record's recipe; no part of the key.
  std::string owner;
};

/// The plan of every layer of `stack`, in its order. Mistakes in Containerfiles and arguments, and layers that do not
/// fit the foundation, go to `diagnostics`; if there are any the result is not to be used.
std::vector<LayerPlan> plan_layers(const resolve::Stack& stack, const ArgValues& args, const Foundation& foundation,
                                   Diagnostics& diagnostics);

/// The environment after `deltas`, in order. PATH and other lists keep what each layer added in front.
std::map<std::string, std::string> compose_environment(const std::vector<const ConfigDelta*>& deltas);
/// All parts of the configuration after `deltas`; a later word wins.
ConfigDelta compose_config(const std::vector<const ConfigDelta*>& deltas);

/// The recipe key of a plan whose closure has these content keys, by layer name.
RecipeKey recipe_key(const LayerPlan& plan, const std::map<std::string, ContentKey>& closure);

} // namespace sheaf::plan
