// SPDX-License-Identifier: Apache-2.0
#include "app/build_stack.hpp"
#include "app/environment.hpp"
#include "app/image_project.hpp"
#include "app/layer_states.hpp"
#include "app/lock.hpp"
#include "app/project_plan.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/layer_change_json.hpp"
#include "cli/refresh_options.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/table.hpp"
#include "ui/tree.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <map>
#include <optional>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_directory_option, k_agents_option, k_layers_option, k_stack_option, k_base_option,
                                  k_image_option,     k_pull_option,   k_locked_option, k_json_option};
constexpr std::array<std::string_view, 3> k_examples = {"sheaf plan", "sheaf plan --agents all --json",
                                                        "sheaf plan --stack k8s"};

/// The same lines as a fresh plan gives, from the remembered environment: all is built and unchanged.
std::vector<app::PlannedLayer> lines_of_saved(const app::Environment& environment) {
  std::vector<app::PlannedLayer> lines;
  for (const auto& saved : environment.stack) {
    app::PlannedLayer line;
    line.name = saved.name;
    line.kind = saved.kind;
    line.reason = saved.reason;
    line.state = app::LayerState::reused;
    line.action = app::Action::reuse;
    line.why = "unchanged";
    line.closure = saved.closure;
    line.parent = saved.closure.empty() ? "" : saved.closure.back();
    line.bytes = saved.bytes;
    lines.push_back(std::move(line));
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
  const app::Session session{store, *invocation.events, invocation.stop()};
  if (project.config.image) {
    SHEAF_TRY_ASSIGN(auto line, app::examine_image(project, session));
    return std::vector{std::move(line)};
  }
  SHEAF_TRY_ASSIGN(const auto wanted, app::want(project, session, app::Fetch::no));
  SHEAF_TRY(project.locked ? app::check_locked(project, wanted) : Result<void>());
  return app::examine(wanted, project, session, app::Ask::caches);
}

Json json_or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

std::string as_json(const std::vector<app::PlannedLayer>& lines) {
  Json layers = Json::array();
  for (const auto& line : lines) {
    layers.push_back({{"name", line.name},
                      {"kind", line.kind},
                      {"reason", line.reason},
                      {"state", app::to_string(line.state)},
                      {"action", app::to_string(line.action)},
                      {"why", line.why},
                      {"changes", to_json(line.changes)},
                      {"built_on", line.closure},
                      {"bytes", json_or_null(line.bytes)},
                      {"expected_ms", json_or_null(line.expected_ms)}});
  }
  return Json{{"layers", layers}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Each layer below the last of those that it is built on.
std::vector<ui::TreeRow> tree_of(const std::vector<app::PlannedLayer>& lines) {
  std::map<std::string, std::size_t> places;
  std::vector<std::optional<std::size_t>> parents;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto parent = places.find(lines[i].parent);
    parents.push_back(parent != places.end() ? std::optional(parent->second) : std::nullopt);
    places.emplace(lines[i].name, i);
  }
  return ui::draw_tree(parents);
}

/// "2 of 5 layers to build, 1 to fetch (12 MB); last time the builds took 41 s"
std::string summary_of(const std::vector<app::PlannedLayer>& lines) {
  std::size_t builds = 0;
  std::size_t fetches = 0;
  std::uint64_t bytes = 0;
  std::int64_t expected = 0;
  for (const auto& line : lines) {
    if (line.action == app::Action::build) {
      ++builds;
      expected += line.expected_ms.value_or(0);
    } else if (line.action == app::Action::fetch) {
      ++fetches;
      bytes += line.bytes.value_or(0);
    }
  }
  if (builds + fetches == 0) {
    return "nothing to build\n";
  }
  auto text = fmt::format("{} of {} layers to build", builds, lines.size());
  text += fetches > 0 ? fmt::format(", {} to fetch ({})", fetches, human_bytes(bytes)) : "";
  text += expected > 0 ? "; last time that took " + human_milliseconds(static_cast<double>(expected)) : "";
  return text + "\n";
}

std::string as_text(const std::vector<app::PlannedLayer>& lines) {
  ui::Table table({"LAYER", "KIND", "ACTION", "STATE", "SIZE", "TIME", "WHY", "IN THE STACK BECAUSE"});
  for (const auto& row : tree_of(lines)) {
    const auto& line = lines[row.node];
    const auto expected = line.action == app::Action::build && line.expected_ms;
    table.add({row.branch + line.name, line.kind, std::string(app::to_string(line.action)),
               std::string(app::to_string(line.state)), line.bytes ? human_bytes(*line.bytes) : "-",
               expected ? "~" + human_milliseconds(static_cast<double>(*line.expected_ms)) : "-", line.why,
               line.reason});
  }
  return table.to_string() + summary_of(lines);
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
    "Draws the layers of the project's stack as a tree, each on the last one that it is built on: what happens to it "
    "(reuse, fetch from a cache, build), its state, its size, the time its last build took, why it is in that state "
    "and "
    "why it is in the stack. Caches are asked for layers that are not here. Changes nothing.",
    {"", 0, 0},
    k_options,
    k_examples,
    plan};

} // namespace sheaf::cli
