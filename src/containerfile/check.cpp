// SPDX-License-Identifier: Apache-2.0
#include "containerfile/check.hpp"

#include "base/suggest.hpp"
#include "containerfile/node_checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

struct Rule {
  std::string_view keyword;
  void (*check)(NodeChecker&);
  /// Known only to files that say '# sheaf: extensions'.
  bool extension = false;
};

constexpr std::array<Rule, 20> k_rules = {{{"ADD", check_add},
                                           {"ARG", check_arg},
                                           {"CMD", check_cmd},
                                           {"COPY", check_copy},
                                           {"ENTRYPOINT", check_entrypoint},
                                           {"ENV", check_env},
                                           {"EXPOSE", check_expose},
                                           {"FETCH", check_fetch, true},
                                           {"FROM", check_from},
                                           {"HEALTHCHECK", check_healthcheck},
                                           {"LABEL", check_label},
                                           {"MAINTAINER", check_maintainer},
                                           {"ONBUILD", check_onbuild},
                                           {"RUN", check_run},
                                           {"SHELL", check_shell},
                                           {"SNAPSHOT", check_snapshot, true},
                                           {"STOPSIGNAL", check_stopsignal},
                                           {"USER", check_user},
                                           {"VOLUME", check_volume},
                                           {"WORKDIR", check_workdir}}};

const Rule* rule_of(std::string_view keyword) {
  const auto* found =
      std::find_if(k_rules.begin(), k_rules.end(), [&](const Rule& rule) { return rule.keyword == keyword; });
  return found != k_rules.end() ? found : nullptr;
}

void refuse_keyword(NodeChecker& checker) {
  const auto& node = checker.node();
  const auto& keyword = node.keyword;
  if (rule_of(keyword.text) != nullptr) {
    checker.error(keyword.span, "unknown-instruction", fmt::format("'{}' is no instruction of Docker", keyword.text),
                  "sheaf knows it in files that say '# sheaf: extensions' at the top");
    return;
  }
  const auto near = likely_keyword(node);
  checker.error(keyword.span, "unknown-instruction",
                fmt::format("there is no instruction '{}'", node.line.text(node.keyword_range)),
                near.empty()
                    ? fmt::format("if it belongs to the line before, end that one with '{}'", checker.settings().escape)
                    : fmt::format("did you mean '{}'?", near));
}

/// As BuildKit keeps it in the image: the text on one line, heredocs after it.
std::string trigger_text(const Node& node) {
  auto text = node.arguments.text;
  for (const auto& heredoc : node.line.heredocs()) {
    text += "\n" + heredoc.body + heredoc.name.text;
  }
  return text;
}

} // namespace

/// The trigger is checked now, so that a mistake is found by its author and not by those who use the image.
void check_onbuild(NodeChecker& checker) {
  const auto& node = checker.node();
  if (checker.missing_arguments("an instruction", "write 'ONBUILD COPY . /src', for example")) {
    return;
  }
  const auto trigger = parse_node(node.line.from(node.arguments_range.begin));
  if (const auto& keyword = trigger.keyword;
      keyword.text == "ONBUILD" || keyword.text == "FROM" || keyword.text == "MAINTAINER") {
    checker.error(keyword.span, "bad-trigger", fmt::format("{} cannot stand behind ONBUILD", keyword.text));
    return;
  }
  (void)check_node(checker.settings(), trigger, checker.diagnostics());
  checker.add(Onbuild{checker.origin(), Word{trigger_text(node), node.arguments.span}});
}

CheckedNode check_node(const CheckSettings& settings, const Node& node, Diagnostics& diagnostics) {
  NodeChecker checker(settings, node, diagnostics);
  const auto* rule = rule_of(node.keyword.text);
  if (rule == nullptr || (rule->extension && !settings.extensions)) {
    refuse_keyword(checker);
  } else {
    checker.read_flags();
    rule->check(checker);
  }
  return checker.take_result();
}

std::string likely_keyword(const Node& node) {
  constexpr std::size_t k_longest = 20; // no slip of the finger is longer
  const auto& keyword = node.keyword.text;
  if (rule_of(keyword) != nullptr || keyword.size() > k_longest) {
    return rule_of(keyword) != nullptr ? keyword : std::string();
  }
  std::vector<std::string> keywords;
  for (const auto& rule : k_rules) {
    keywords.emplace_back(rule.keyword);
  }
  return nearest(keyword, keywords).value_or("");
}

} // namespace sheaf::containerfile
