// SPDX-License-Identifier: Apache-2.0
#include "app/build_stack.hpp"
#include "app/environment.hpp"
#include "app/image_project.hpp"
#include "app/project_plan.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_directory_option, k_agents_option, k_layers_option, k_stack_option,
                                  k_base_option,      k_image_option,  k_pull_option,   k_json_option};
constexpr std::array<std::string_view, 3> k_examples = {"sheaf plan", "sheaf plan --agents all --json",
                                                        "sheaf plan --stack k8s"};

/// The same lines as a fresh plan gives, from the remembered environment: all is built and unchanged.
std::vector<app::PlannedLayer> lines_of_saved(const app::Environment& environment) {
  std::vector<app::PlannedLayer> lines;
  for (const auto& line : environment.stack) {
    lines.push_back({line.name, line.kind, line.reason, app::LayerState::reused, "unchanged", {}, "", line.bytes, {}});
  }
  return lines;
}

Result<std::vector<app::PlannedLayer>> plan_lines(Invocation& invocation) {
  const auto choices = invocation.choices();
  SHEAF_TRY_ASSIGN(const auto root, app::project_root(choices.directory));
  const auto saved =
      choices.pull ? std::nullopt : app::load_if_current(app::saved_path(invocation.store_root, root, choices));
  if (saved) {
    return lines_of_saved(*saved);
  }
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(choices));
  if (project.config.image) {
    SHEAF_TRY_ASSIGN(auto line, app::examine_image(project, {store, *invocation.events, invocation.stop()}));
    return std::vector{std::move(line)};
  }
  SHEAF_TRY_ASSIGN(const auto wanted,
                   app::want(project, {store, *invocation.events, invocation.stop()}, app::Fetch::no));
  return app::examine(wanted.plans, store);
}

std::string as_json(const std::vector<app::PlannedLayer>& lines) {
  Json layers = Json::array();
  for (const auto& line : lines) {
    layers.push_back({{"name", line.name},
                      {"kind", line.kind},
                      {"reason", line.reason},
                      {"state", app::to_string(line.state)},
                      {"why", line.why},
                      {"bytes", line.bytes ? Json(*line.bytes) : Json(nullptr)},
                      {"expected_ms", line.expected_ms ? Json(*line.expected_ms) : Json(nullptr)}});
  }
  return Json{{"layers", layers}}.dump(2) + "\n";
}

std::string as_text(const std::vector<app::PlannedLayer>& lines) {
  ui::Table table({"LAYER", "KIND", "STATE", "SIZE", "TIME", "WHY", "IN THE STACK BECAUSE"});
  std::size_t missing = 0;
  for (const auto& line : lines) {
    missing += line.state == app::LayerState::build ? 1 : 0;
    const auto expected = line.state == app::LayerState::build && line.expected_ms;
    table.add(
        {line.name, line.kind, std::string(app::to_string(line.state)), line.bytes ? human_bytes(*line.bytes) : "-",
         expected ? "~" + human_milliseconds(static_cast<double>(*line.expected_ms)) : "-", line.why, line.reason});
  }
  const auto summary = missing == 0 ? std::string("nothing to build\n")
                                    : fmt::format("{} of {} layers to build\n", missing, lines.size());
  return table.to_string() + summary;
}

Result<int> plan(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto lines, plan_lines(invocation));
  Invocation::print(invocation.json() ? as_json(lines) : as_text(lines));
  return 0;
}

} // namespace

const Command k_plan = {
    "plan",
    "show what 'up' would do, and why",
    "Lists the layers of the project's stack in canonical order: each with its state (reused or to be built), the "
    "reason for that state, its size, the time its last build took, and why it is in the stack. Changes nothing.",
    {"", 0, 0},
    k_options,
    k_examples,
    plan};

} // namespace sheaf::cli
