// SPDX-License-Identifier: Apache-2.0
#include "app/why.hpp"

#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/layer_change_json.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/date.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_directory_option, k_agents_option, k_layers_option, k_base_option, k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf why python", "sheaf why codex --agents codex --json"};

/// What to do about a layer in this state, or what 'sheaf up' does.
std::string_view advice(const app::PlannedLayer& line) {
  switch (line.state) {
  case app::LayerState::reused:
    return "";
  case app::LayerState::expired:
    return "'sheaf up' builds it anew; 'refresh: never' in the settings keeps it";
  case app::LayerState::corrupt:
    return "'sheaf up' builds it again";
  case app::LayerState::unreachable:
    return "'sheaf up' builds it here; see to the cache, or take it out of 'caches', to fetch it instead";
  case app::LayerState::unauthorised:
    return "'sheaf up' builds it here; 'sheaf login' to the cache to fetch it instead";
  default:
    return line.action == app::Action::fetch ? "'sheaf up' fetches it" : "'sheaf up' builds it";
  }
}

std::string when(const store::LayerRecord& record) {
  return fmt::format("{} (content {})", ui::date(record.created), record.content_key.short_hex());
}

std::string as_text(const app::Explanation& explanation) {
  const auto& line = explanation.line;
  auto text = fmt::format("{}: {}, {}\n", line.name, app::to_string(line.state), line.why);
  const auto row = [&text](std::string_view title, std::string_view value) {
    if (!value.empty()) {
      text += fmt::format("  {:<14} {}\n", title, value);
    }
  };
  row("in the stack", explanation.is_in_stack ? line.reason : "no: not selected in this project");
  row("built on", joined(line.closure, ", "));
  row("built", explanation.build ? when(*explanation.build) : "");
  row("next", advice(line));
  if (!explanation.before) {
    row("compared with", explanation.build ? "nothing: it is the first build of this name here" : "nothing");
    return text;
  }
  row("compared with", fmt::format("the build of {}", when(*explanation.before)));
  for (const auto& change : explanation.changes) {
    row("changed", app::describe(change));
  }
  row("changed", explanation.changes.empty() ? "nothing of itself" : "");
  return text;
}

std::string as_json(const app::Explanation& explanation) {
  const auto& line = explanation.line;
  const auto record = [](const std::optional<store::LayerRecord>& build) {
    return build ? Json{{"created", build->created},
                        {"recipe_key", build->recipe_key.to_string()},
                        {"content_key", build->content_key.to_string()}}
                 : Json(nullptr);
  };
  const Json json = {{"name", line.name},
                     {"state", app::to_string(line.state)},
                     {"action", app::to_string(line.action)},
                     {"why", line.why},
                     {"reason", line.reason},
                     {"in_stack", explanation.is_in_stack},
                     {"built_on", line.closure},
                     {"build", record(explanation.build)},
                     {"before", record(explanation.before)},
                     {"changes", to_json(explanation.changes)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> why(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(const auto explanation,
                   app::explain(project, invocation.operands.front(), {store, *invocation.events, invocation.stop()}));
  Invocation::print(invocation.json() ? as_json(explanation) : as_text(explanation));
  return 0;
}

} // namespace

const Command k_why = {
    "why",
    "say why a layer is in the stack, and which of its inputs changed",
    "For a layer that is to be built: what differs from the build that is most like it, argument by argument, "
    "instruction by instruction, file by file, and which of the layers below it have another content. For one that is "
    "reused: what made its last build necessary.",
    {"LAYER", 1, 1},
    k_options,
    k_examples,
    why};

} // namespace sheaf::cli
