// SPDX-License-Identifier: Apache-2.0
#include "resolve/agents.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <set>

namespace sheaf::resolve {
namespace {

using catalogue::Catalogue;
using catalogue::Kind;

std::vector<std::string> all_agents(const Catalogue& catalogue) {
  std::vector<std::string> agents;
  for (const auto& layer : catalogue.all()) {
    if (layer.kind == Kind::agent) {
      agents.push_back(layer.name);
    }
  }
  return agents;
}

Result<void> check_agent(const Catalogue& catalogue, std::string_view name) {
  const auto* layer = catalogue.find(name);
  if (layer == nullptr) {
    const auto agents = all_agents(catalogue);
    auto hint = did_you_mean(name, agents);
    if (hint.empty()) {
      hint = "agents: " + joined(agents, ", ");
    }
    return Error(ErrorCode::not_found, fmt::format("unknown agent '{}'", name)).with_hint(std::move(hint));
  }
  if (layer->kind != Kind::agent) {
    return Error(ErrorCode::invalid, fmt::format("'{}' is not an agent but a {}", name, to_string(layer->kind)))
        .with_hint("choose it with '--layers'");
  }
  return {};
}

} // namespace

Result<std::vector<std::string>> select_agents(const Catalogue& catalogue, std::string_view spec) {
  std::set<std::string, std::less<>> chosen;
  std::set<std::string, std::less<>> dropped;
  bool says_none = false;
  for (auto word : split(spec, ',')) {
    word = trim(word);
    if (word == "all") {
      const auto agents = all_agents(catalogue);
      chosen.insert(agents.begin(), agents.end());
    } else if (word == "none") {
      says_none = true;
    } else if (!word.empty()) {
      const bool is_dropped = word.starts_with('-');
      const auto name = word.substr(is_dropped ? 1 : 0);
      SHEAF_TRY(check_agent(catalogue, name));
      (is_dropped ? dropped : chosen).emplace(name);
    }
  }
  if (says_none && !(chosen.empty() && dropped.empty())) {
    return Error(ErrorCode::invalid, fmt::format("'{}' says 'none' and names agents", spec));
  }
  if (chosen.empty() && !dropped.empty()) {
    return Error(ErrorCode::invalid, fmt::format("'{}' takes agents out of nothing", spec))
        .with_hint(fmt::format("write 'all,{}'", spec));
  }
  std::vector<std::string> agents;
  for (const auto& name : chosen) {
    if (!dropped.contains(name)) {
      agents.push_back(name);
    }
  }
  return agents;
}

} // namespace sheaf::resolve
