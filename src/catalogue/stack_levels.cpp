// SPDX-License-Identifier: Apache-2.0
#include "catalogue/stack_levels.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::catalogue {
namespace {

void check_name(const std::string& name, Span span, const std::vector<ReadLevel>& before, const ReadContext& context) {
  if (!is_layer_name(name) || name == "l2-cli" || name == "l2-dev") {
    context.error(
        span, "bad-value", fmt::format("'{}' cannot be the name of a level", name),
        "names are made of a-z, 0-9, '_' and '-', do not start with '-' and are not 'all', 'none', 'project', "
        "'l2-cli' or 'l2-dev'");
  }
  if (std::ranges::any_of(before, [&](const ReadLevel& other) { return other.level.name == name; })) {
    context.error(span, "duplicate-level", fmt::format("there are two levels '{}'", name));
  }
}

} // namespace

std::string read_selection(MapReader& map, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::list) {
    return map.text("agents").value_or("");
  }
  const auto names = map.texts("agents");
  return names.empty() ? "none" : joined(names, ",");
}

std::vector<ReadLevel> read_levels(const YamlNode& node, const ReadContext& context) {
  std::vector<ReadLevel> levels;
  for (const auto& item : read_list(node, "'stacks'", context)) {
    MapReader map(item, "a level of 'stacks'", context);
    StackLevel level;
    level.name = map.required_text("name").value_or("");
    level.layers = map.texts("layers");
    if (const auto* agents = map.find("agents")) {
      level.agents = read_selection(map, *agents);
    }
    if (const auto* name = map.find("name")) {
      check_name(level.name, name->span, levels, context);
    }
    map.finish();
    levels.push_back({std::move(level), item.span});
  }
  return levels;
}

} // namespace sheaf::catalogue
