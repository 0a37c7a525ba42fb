// SPDX-License-Identifier: Apache-2.0
#include "app/stack_levels.hpp"

#include "app/base_image.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "resolve/agents.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {
namespace {

using catalogue::StackLevel;

std::string origin_of(const Project& project, const std::string& level) {
  const auto found = project.config.origins.find("stacks." + level);
  return found != project.config.origins.end() ? found->second : "the settings";
}

Error unknown_level(const std::string& name, const std::vector<StackLevel>& levels) {
  Error error(ErrorCode::not_found, fmt::format("there is no level '{}' in 'stacks'", name));
  std::vector<std::string> names;
  names.reserve(levels.size());
  for (const auto& level : levels) {
    names.push_back(level.name);
  }
  const auto guess = did_you_mean(name, names);
  return names.empty() ? std::move(error).with_hint("the settings have no 'stacks'; 'sheaf.yml' says what they are")
                       : std::move(error).with_hint(guess.empty() ? "there are: " + joined(names, ", ") : guess);
}

Result<void> add_agents(resolve::Selection& selection, const Project& project, const std::string& agents,
                        const std::string& reason) {
  if (agents.empty()) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto names, resolve::select_agents(project.catalogue, agents).context(reason));
  for (const auto& agent : names) {
    selection.wanted.push_back({agent, "agent, " + reason});
  }
  return {};
}

} // namespace

Result<resolve::Selection> select_level(const Project& project) {
  const auto& name = project.stack.value_or("");
  const auto levels = project.config.stacks.value_or(std::vector<StackLevel>());
  const auto top = std::ranges::find(levels, name, &StackLevel::name);
  if (top == levels.end()) {
    return unknown_level(name, levels);
  }
  resolve::Selection selection;
  selection.base = base_layer(project);
  for (auto level = levels.begin(); level <= top; ++level) {
    const auto reason = fmt::format("level '{}', {}", level->name, origin_of(project, level->name));
    for (const auto& layer : level->layers) {
      if (layer != selection.base) {
        selection.wanted.push_back({layer, reason});
      }
    }
    SHEAF_TRY(add_agents(selection, project, level->agents, reason));
  }
  for (const auto& layer : project.added_layers) {
    selection.wanted.push_back({layer, "named in --layers"});
  }
  SHEAF_TRY(add_agents(selection, project, project.added_agents, "--agents"));
  return selection;
}

} // namespace sheaf::app
