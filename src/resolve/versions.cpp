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

/// What is to be met together: the one that is followed, then all others that can be met with it.
class Wishes {
public:
  Wishes(const std::vector<Finding>& asked, std::size_t followed) {
    add(asked[followed]);
    for (const auto& other : asked) {
      if (&other != &asked[followed] && !detect::disagree(asked[followed].version, other.version)) {
        add(other);
      }
    }
  }

  /// False if what is followed is a name: then there is nothing to meet.
  bool is_range() const { return !m_wishes.empty(); }
  bool allow(std::string_view version) const { return is_range() && unmet_by(version) == nullptr; }
  /// The first wish that does not allow `version`; null if all do.
  const Finding* unmet_by(std::string_view version) const {
    const auto found =
        std::ranges::find_if(m_wishes, [version](const Wish& wish) { return !wish.range.allows(version); });
    return found != m_wishes.end() ? found->finding : nullptr;
  }
  /// Versions that may do, the most likely first; `known` are some that there are, the newest first.
  std::vector<std::string> candidates(const std::vector<std::string>& known) const {
    std::vector<std::string> candidates;
    for (const auto& wish : m_wishes) {
      if (auto plain = detect::plain_version(wish.finding->version)) {
        candidates.push_back(std::move(*plain));
      }
    }
    candidates.insert(candidates.end(), known.begin(), known.end());
    for (const auto& wish : m_wishes) {
      candidates.push_back(detect::to_string(wish.range.least()));
    }
    return candidates;
  }

private:
  struct Wish {
    const Finding* finding = nullptr;
    VersionRange range;
  };

  void add(const Finding& finding) {
    if (auto range = VersionRange::parse(finding.version)) {
      m_wishes.push_back({&finding, std::move(*range)});
    }
  }

  std::vector<Wish> m_wishes;
};

bool is_newer(std::string_view version, std::string_view other) {
  const auto range = VersionRange::parse(fmt::format(">{}", other));
  return range && range->allows(version);
}

/// The values that have names, the newest first.
std::vector<std::string> named_values(const ArgDefinition& arg) {
  std::vector<std::string> values;
  for (const auto& [name, value] : arg.names) {
    if (std::ranges::find(values, value) == values.end()) {
      values.push_back(value);
    }
  }
  std::ranges::sort(values, is_newer);
  return values;
}

/// What the file asks for, in numbers if the argument knows what the name stands for.
std::string in_numbers(const ArgDefinition& arg, const std::string& version) {
  const auto found = arg.names.find(version);
  return found != arg.names.end() ? found->second : version;
}

/// A value of the argument that meets all `wishes`: the newest of those it may have, else the first that will do.
std::optional<std::string> argument_for(const ArgDefinition& arg, const Wishes& wishes) {
  std::optional<std::string> best;
  for (const auto& value : arg.allowed) {
    if (wishes.allow(value) && (!best || is_newer(value, *best))) {
      best = value;
    }
  }
  if (!arg.allowed.empty()) {
    return best;
  }
  const auto candidates = wishes.candidates(named_values(arg));
  const auto found = std::ranges::find_if(
      candidates, [&](const std::string& value) { return wishes.allow(value) && !catalogue::arg_mistake(arg, value); });
  return found != candidates.end() ? std::optional(*found) : std::nullopt;
}

std::size_t first_range(const std::vector<Finding>& asked) {
  const auto found = std::ranges::find_if(
      asked, [](const Finding& finding) { return VersionRange::parse(finding.version).has_value(); });
  return found != asked.end() ? static_cast<std::size_t>(found - asked.begin()) : 0;
}

std::string advice(const LayerDefinition& layer) {
  const auto arg = layer.args.find(k_argument);
  return arg != layer.args.end() && arg->second.allowed.size() != 1
             ? fmt::format("choose one with 'args: {{{}: {{version: …}}}}' in sheaf.yml", layer.name)
             : fmt::format("a layer '{}' of the project's own, in .sheaf/layers, can bring another", layer.name);
}

void warn_unmet(const LayerDefinition& layer, VersionChoice& choice, const Finding& finding) {
  const auto brings = choice.brings.empty() ? std::string("does not say which version it brings")
                                            : fmt::format("brings {}", choice.brings);
  const auto asked = VersionRange::parse(finding.version)
                         ? finding.version
                         : fmt::format("'{}', which is no version number", finding.version);
  choice.warnings.push_back(fmt::format("{} asks for {} {}, but the layer '{}' {}; {}", place(finding), layer.name,
                                        asked, layer.name, brings, advice(layer)));
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
  const auto arg = layer.args.find(k_argument);
  if (arg != layer.args.end()) {
    for (auto& finding : choice.asked) {
      finding.version = in_numbers(arg->second, finding.version);
    }
  }
  choice.followed = first_range(choice.asked);
  if (arg != layer.args.end()) {
    choice.brings = arg->second.default_value.value_or("");
    if (set) { // whoever wrote it has seen the files
      choice.brings = *set;
      return choice;
    }
  }
  const Wishes wishes(choice.asked, choice.followed);
  bool is_met = wishes.allow(choice.brings);
  if (!is_met && wishes.is_range() && arg != layer.args.end()) {
    choice.argument = argument_for(arg->second, wishes);
    is_met = choice.argument.has_value();
    choice.brings = choice.argument.value_or(choice.brings);
  }
  if (!is_met) {
    const auto* unmet = wishes.unmet_by(choice.brings);
    warn_unmet(layer, choice, unmet != nullptr ? *unmet : choice.asked[choice.followed]);
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
