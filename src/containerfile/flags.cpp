// SPDX-License-Identifier: Apache-2.0
#include "containerfile/flags.hpp"

#include "base/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {
namespace {

enum class Support { full, not_yet };

struct FlagRule {
  std::string_view keyword;
  std::string_view flag;
  Support support;
};

constexpr std::array k_rules = {
    FlagRule{"FROM", "platform", Support::full},   FlagRule{"COPY", "from", Support::full},
    FlagRule{"COPY", "chown", Support::full},      FlagRule{"COPY", "chmod", Support::full},
    FlagRule{"COPY", "link", Support::not_yet},    FlagRule{"COPY", "parents", Support::not_yet},
    FlagRule{"COPY", "exclude", Support::not_yet}, FlagRule{"RUN", "mount", Support::not_yet},
    FlagRule{"RUN", "network", Support::not_yet},  FlagRule{"RUN", "security", Support::not_yet},
    FlagRule{"RUN", "device", Support::not_yet},
};

std::string hint_for(const Node& node, std::string_view flag) {
  std::vector<std::string> known;
  for (const auto& rule : k_rules) {
    if (rule.keyword == node.keyword.text) {
      known.push_back("--" + std::string(rule.flag));
    }
  }
  return known.empty() ? fmt::format("{} takes no flags", node.keyword.text)
                       : did_you_mean("--" + std::string(flag), known);
}

} // namespace

FlagValues check_flags(const std::shared_ptr<const SourceText>& source, const Node& node, Diagnostics& diagnostics) {
  FlagValues values;
  for (const auto& flag : node.flags) {
    const auto& name = flag.name.text;
    const auto* rule = std::find_if(k_rules.begin(), k_rules.end(), [&](const FlagRule& candidate) {
      return candidate.keyword == node.keyword.text && candidate.flag == name;
    });
    if (rule == k_rules.end()) {
      diagnostics.error(source, flag.span, "unknown-flag",
                        fmt::format("{} has no flag '--{}'", node.keyword.text, name), hint_for(node, name));
    } else if (rule->support == Support::not_yet) {
      diagnostics.error(source, flag.span, "unsupported-flag",
                        fmt::format("'{} --{}' is not supported yet", node.keyword.text, name));
    } else if (!flag.value || flag.value->text.empty()) {
      diagnostics.error(source, flag.span, "missing-value", fmt::format("the flag '--{}' has no value", name),
                        fmt::format("write '--{}=VALUE'", name));
    } else if (!values.emplace(name, *flag.value).second) {
      diagnostics.error(source, flag.span, "repeated-flag", fmt::format("the flag '--{}' is given twice", name));
    }
  }
  return values;
}

} // namespace sheaf::containerfile
