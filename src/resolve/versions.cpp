// SPDX-License-Identifier: Apache-2.0
#include "resolve/versions.hpp"

#include "base/text.hpp"
#include "detect/version_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf::resolve {
namespace {

using catalogue::ArgDefinition;
using catalogue::LayerDefinition;
using detect::Finding;
using detect::VersionRange;

constexpr std::string_view k_argument = "version";

/// Of the values the argument may have, the newest that is in `range`.
std::optional<std::string> newest_allowed(const ArgDefinition& arg, const VersionRange& range) {
  std::optional<std::string> best;
  for (const auto& value : arg.allowed) {
    if (range.allows(value) && (!best || VersionRange::parse(">" + *best)->allows(value))) {
      best = value;
    }
  }
  return best;
}

/// A value of the argument that gives what `wanted`, which is `range`, asks for. Nothing if there is none.
std::optional<std::string> argument_for(const ArgDefinition& arg, const std::string& wanted,
                                        const VersionRange& range) {
  if (!arg.allowed.empty()) {
    return newest_allowed(arg, range);
  }
  const auto value = detect::plain_version(wanted).value_or(detect::to_string(range.least()));
  return catalogue::arg_mistake(arg, value) ? std::nullopt : std::optional(value);
}

std::size_t first_range(const std::vector<Finding>& asked) {
  const auto found = std::ranges::find_if(
      asked, [](const Finding& finding) { return VersionRange::parse(finding.version).has_value(); });
  return found != asked.end() ? static_cast<std::size_t>(found - asked.begin()) : 0;
}

std::string advice(const LayerDefinition& layer) {
  return layer.args.contains(k_argument)
             ? fmt::format("choose one with 'args: {{{}: {{version: …}}}}' in sheaf.yml", layer.name)
             : fmt::format("a layer '{}' of the project's own, in .sheaf/layers, can bring another", layer.name);
}

void warn_unmet(const LayerDefinition& layer, VersionChoice& choice) {
  const auto& finding = choice.asked[choice.followed];
  const auto brings = choice.brings.empty() ? std::string("does not say which version it brings")
                                            : fmt::format("brings {}", choice.brings);
  choice.warnings.push_back(fmt::format("{} asks for {} {}, but the layer '{}' {}; {}", place(finding), layer.name,
                                        VersionRange::parse(finding.version)
                                            ? finding.version
                                            : fmt::format("'{}', which names no number", finding.version),
                                        layer.name, brings, advice(layer)));
}

void warn_disagreement(VersionChoice& choice) {
  const auto& followed = choice.asked[choice.followed];
  std::vector<std::string> others;
  for (const auto& other : choice.asked) {
    if (detect::disagree(followed.version, other.version)) {
      others.push_back(fmt::format("{} for {}", place(other), other.version));
    }
  }
  if (!others.empty()) {
    choice.warnings.push_back(fmt::format("{} asks for {} {}, but {}; the first is followed", place(followed),
                                          choice.layer, followed.version, joined(others, ", ")));
  }
}

} // namespace

std::string place(const Finding& finding) {
  return finding.line > 0 ? fmt::format("{}:{}", finding.file, finding.line) : finding.file;
}

VersionChoice choose_version(const LayerDefinition& layer, std::vector<Finding> asked,
                             const std::optional<std::string>& set) {
  VersionChoice choice{layer.name, std::move(asked), 0, {}, layer.brings, {}};
  choice.followed = first_range(choice.asked);
  const auto arg = layer.args.find(k_argument);
  if (arg != layer.args.end()) {
    choice.brings = arg->second.default_value.value_or("");
    if (set) { // whoever wrote it has seen the files
      choice.brings = *set;
      return choice;
    }
  }
  const auto& wanted = choice.asked[choice.followed].version;
  const auto range = VersionRange::parse(wanted);
  bool is_met = range && range->allows(choice.brings);
  if (!is_met && range && arg != layer.args.end()) {
    choice.argument = argument_for(arg->second, wanted, *range);
    is_met = choice.argument.has_value();
    choice.brings = choice.argument.value_or(choice.brings);
  }
  if (!is_met) {
    warn_unmet(layer, choice);
  }
  warn_disagreement(choice);
  return choice;
}

std::vector<VersionChoice> choose_versions(const Stack& stack, const detect::Detection& detection, const Args& args) {
  std::vector<VersionChoice> choices;
  for (const auto& entry : stack.entries) {
    auto asked = detect::versions_for(detection, entry.layer->name);
    if (asked.empty()) {
      continue;
    }
    std::optional<std::string> set;
    if (const auto values = args.find(entry.layer->name); values != args.end()) {
      const auto value = values->second.find(k_argument);
      set = value != values->second.end() ? std::optional(value->second) : std::nullopt;
    }
    choices.push_back(choose_version(*entry.layer, std::move(asked), set));
  }
  return choices;
}

Args with_versions(Args args, const std::vector<VersionChoice>& choices) {
  for (const auto& choice : choices) {
    if (choice.argument) {
      args[choice.layer].emplace(k_argument, *choice.argument);
    }
  }
  return args;
}

} // namespace sheaf::resolve
