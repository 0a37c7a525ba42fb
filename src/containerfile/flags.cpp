// SPDX-License-Identifier: Apache-2.0
#include "containerfile/flags.hpp"

#include "base/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>
#include <vector>

namespace sheaf::containerfile {
namespace {

enum class Kind {
  text,       ///< `--name=value`, once
  list,       ///< `--name=value`, any number of times
  truth,      ///< `--name` or `--name=true|false`, once
  impossible, ///< known to Docker, and never carried out here
};

struct FlagRule {
  std::string_view keyword;
  std::string_view flag;
  Kind kind;
};

constexpr std::array k_rules = {
    FlagRule{"FROM", "platform", Kind::text},
    FlagRule{"RUN", "mount", Kind::list},
    FlagRule{"RUN", "network", Kind::text},
    FlagRule{"RUN", "security", Kind::text},
    FlagRule{"RUN", "device", Kind::impossible},
    FlagRule{"COPY", "from", Kind::text},
    FlagRule{"COPY", "chown", Kind::text},
    FlagRule{"COPY", "chmod", Kind::text},
    FlagRule{"COPY", "link", Kind::truth},
    FlagRule{"COPY", "parents", Kind::truth},
    FlagRule{"COPY", "exclude", Kind::list},
    FlagRule{"ADD", "chown", Kind::text},
    FlagRule{"ADD", "chmod", Kind::text},
    FlagRule{"ADD", "checksum", Kind::text},
    FlagRule{"ADD", "keep-git-dir", Kind::truth},
    FlagRule{"ADD", "unpack", Kind::truth},
    FlagRule{"ADD", "link", Kind::truth},
    FlagRule{"ADD", "exclude", Kind::list},
    FlagRule{"HEALTHCHECK", "interval", Kind::text},
    FlagRule{"HEALTHCHECK", "timeout", Kind::text},
    FlagRule{"HEALTHCHECK", "start-period", Kind::text},
    FlagRule{"HEALTHCHECK", "start-interval", Kind::text},
    FlagRule{"HEALTHCHECK", "retries", Kind::text},
    FlagRule{"FETCH", "checksum", Kind::text},
};

std::string hint_for(const Node& node, std::string_view flag) {
  std::vector<std::string> known;
  std::vector<std::string> others;
  for (const auto& rule : k_rules) {
    if (rule.keyword == node.keyword.text) {
      known.push_back("--" + std::string(rule.flag));
    } else if (rule.flag == flag) {
      others.emplace_back(rule.keyword);
    }
  }
  if (!others.empty()) {
    return fmt::format("it is a flag of {}", fmt::join(others, " and "));
  }
  return known.empty() ? fmt::format("{} takes no flags", node.keyword.text)
                       : did_you_mean("--" + std::string(flag), known);
}

bool is_truth(std::string_view text) {
  const auto same = [&](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  };
  return same("true") || same("false");
}

class FlagCheck {
public:
  FlagCheck(const std::shared_ptr<const SourceText>& source, const Node& node, Diagnostics& diagnostics)
      : m_source(source), m_node(node), m_diagnostics(diagnostics) {}

  FlagValues run() {
    for (const auto& flag : m_node.flags) {
      const auto* rule = std::find_if(k_rules.begin(), k_rules.end(), [&](const FlagRule& candidate) {
        return candidate.keyword == m_node.keyword.text && candidate.flag == flag.name.text;
      });
      if (rule == k_rules.end()) {
        error(flag, "unknown-flag", fmt::format("{} has no flag '--{}'", m_node.keyword.text, flag.name.text),
              hint_for(m_node, flag.name.text));
      } else {
        check(flag, rule->kind);
      }
    }
    return std::move(m_values);
  }

private:
  void error(const Flag& flag, std::string rule, std::string message, std::string hint = {}) {
    m_diagnostics.error(m_source, flag.span, std::move(rule), std::move(message), std::move(hint));
  }

  void check(const Flag& flag, Kind kind) {
    const auto& name = flag.name.text;
    if (kind == Kind::impossible) {
      error(flag, "unsupported-flag", fmt::format("'{} --{}' is not supported", m_node.keyword.text, name),
            "devices of the host are never given to a build");
    } else if (kind == Kind::truth && flag.value && !is_truth(flag.value->text)) {
      error(flag, "bad-value", fmt::format("'--{}' is 'true' or 'false', not '{}'", name, flag.value->text));
    } else if (kind != Kind::truth && !flag.value) {
      error(flag, "missing-value", fmt::format("the flag '--{}' has no value", name),
            fmt::format("write '--{}=VALUE'", name));
    } else if (kind != Kind::list && !m_seen.insert(name).second) {
      error(flag, "repeated-flag", fmt::format("the flag '--{}' is given twice", name));
    } else if (kind == Kind::list || !flag.value || !flag.value->text.empty()) {
      m_values[name].push_back(&flag);
    }
  }

  const std::shared_ptr<const SourceText>& m_source;
  const Node& m_node;
  Diagnostics& m_diagnostics;
  std::set<std::string, std::less<>> m_seen;
  FlagValues m_values;
};

} // namespace

FlagValues check_flags(const std::shared_ptr<const SourceText>& source, const Node& node, Diagnostics& diagnostics) {
  return FlagCheck(source, node, diagnostics).run();
}

} // namespace sheaf::containerfile
