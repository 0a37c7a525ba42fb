// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stack turned into what the builder carries out: for each layer its steps, its configuration and the named inputs of
// its recipe key. Pure: nothing is read, nothing is run.

#include "base/capture_rule.hpp"
#include "base/config_delta.hpp"
#include "base/diagnostics.hpp"
#include "base/digest.hpp"
#include "catalogue/layer_definition.hpp"
#include "resolve/resolve.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sheaf::plan {

/// RUN: `argv` in `directory` as `user`, with the environment of the layer so far and its build arguments.
struct RunStep {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
  std::string directory;
  std::string user;
};

/// COPY from the layer's own files.
struct CopyStep {
  std::vector<std::string> sources;
  std::string destination;
  std::string owner;
  std::optional<unsigned> mode;
};

/// WORKDIR: the directory exists afterwards.
struct MakeDirectoryStep {
  std::string path;
};

struct Step {
  /// The instruction on one line, as written.
  std::string display;
  /// 1-based line in the Containerfile.
  std::size_t line = 0;
  std::variant<RunStep, CopyStep, MakeDirectoryStep> action;
};

struct LayerPlan {
  std::string name;
  std::string kind;
  /// Why it is in the stack.
  std::string reason;
  /// Every layer it is built on, in the stack's order, the base first; empty for the base.
  std::vector<std::string> closure;
  /// Names of the layers whose files it may replace or delete.
  std::vector<std::string> replaces;
  std::optional<catalogue::Bootstrap> bootstrap;
  std::vector<Step> steps;
  ConfigDelta config;
  /// The layer's own rows of the capture table.
  std::vector<CaptureRule> capture;
  /// The build context: relative path to content.
  std::map<std::string, std::string> files;
  /// What decides the result besides the content of the closure: name to value or digest.
  std::map<std::string, std::string> inputs;
};

/// Chosen values of arguments: layer, then argument.
using ArgValues = std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

/// The plan of every layer of `stack`, in its order. Mistakes in Containerfiles and arguments go to `diagnostics`;
/// if there are any the result is not to be used.
std::vector<LayerPlan> plan_layers(const resolve::Stack& stack, const ArgValues& args, Diagnostics& diagnostics);

/// The environment after `deltas`, in order. PATH and other lists keep what each layer added in front.
std::map<std::string, std::string> compose_environment(const std::vector<const ConfigDelta*>& deltas);
/// All parts of the configuration after `deltas`; a later word wins.
ConfigDelta compose_config(const std::vector<const ConfigDelta*>& deltas);

/// The recipe key of a plan whose closure has these content keys, by layer name.
RecipeKey recipe_key(const LayerPlan& plan, const std::map<std::string, ContentKey>& closure);

/// What PATH is before any layer says something.
inline constexpr const char* k_default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

} // namespace sheaf::plan
