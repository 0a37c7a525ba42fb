// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_key.hpp"

#include "base/text.hpp"
#include "plan/layer_files.hpp"
#include "plan/platform.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::plan {
namespace {

std::string describe(const catalogue::Bootstrap& bootstrap) {
  return fmt::format("{} {} {} {} {} {}", bootstrap.tool, bootstrap.suite, bootstrap.variant,
                     fmt::join(bootstrap.components, ","), fmt::join(bootstrap.packages, ","), bootstrap.mirror);
}

/// Digest of the files that some step of the plan reads, and of nothing else in the folder.
std::string files_digest(const LayerPlan& plan) {
  Sha256 hash;
  for (const auto& [path, content] : plan.files) {
    if (std::ranges::any_of(plan.steps, [&path = path](const Step& step) { return reads_file(step, path); })) {
      hash.field(path).field(content);
    }
  }
  return hash.finish().to_string();
}

} // namespace

std::map<std::string, std::string> read_files(const LayerPlan& plan) {
  std::map<std::string, std::string> digests;
  for (const auto& [path, content] : plan.files) {
    if (std::ranges::any_of(plan.steps, [&path = path](const Step& step) { return reads_file(step, path); })) {
      digests[path] = Sha256().field(content).finish().to_string();
    }
  }
  return digests;
}

std::map<std::string, std::string> inputs_of(const LayerPlan& plan) {
  Sha256 steps;
  for (const auto& step : plan.steps) {
    steps.field(describe(step));
  }
  Sha256 config;
  config.field("environment");
  for (const auto& [name, value] : plan.config.environment) {
    config.field(name).field(value);
  }
  config.field("labels");
  for (const auto& [name, value] : plan.config.labels) {
    config.field(name).field(value);
  }
  for (const auto* list : {&plan.config.command, &plan.config.entrypoint, &plan.config.shell}) {
    config.field(shell_join(*list));
  }
  config.field(plan.config.user).field(plan.config.directory);
  std::map<std::string, std::string> inputs = {{"name", plan.name},
                                               {"platform", native_platform().to_string()},
                                               {"instructions", steps.finish().to_string()},
                                               {"config", config.finish().to_string()},
                                               {"files", files_digest(plan)}};
  if (plan.bootstrap) {
    inputs["bootstrap"] = describe(*plan.bootstrap);
  }
  if (plan.image) {
    inputs["image"] = plan.image->digest;
  }
  if (!plan.replaces.empty()) {
    inputs["replaces"] = joined(plan.replaces, " ");
  }
  if (!plan.capture.empty()) {
    Sha256 rules;
    for (const auto& rule : plan.capture) { // the reason is for people
      rules.field(rule.path).field(rule.kind);
    }
    inputs["capture"] = rules.finish().to_string();
  }
  return inputs;
}

RecipeKey recipe_key(const LayerPlan& plan, const std::map<std::string, ContentKey>& closure) {
  Sha256 hash;
  // Counts up when the same recipe gives another layer: the capture table or the ids of accounts changed.
  hash.field("sheaf-recipe 4");
  for (const auto& [name, value] : plan.inputs) {
    hash.field(name).field(value);
  }
  for (const auto& name : plan.closure) {
    hash.field(name).field(closure.at(name).hex());
  }
  return RecipeKey{hash.finish()};
}

} // namespace sheaf::plan
