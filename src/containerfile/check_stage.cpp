// SPDX-License-Identifier: Apache-2.0
// FROM and ARG.
#include "containerfile/node_checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

bool is_stage_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_as(std::string_view text) { return text == "AS" || text == "as" || text == "As" || text == "aS"; }

/// "AS name", the second and third word.
void read_alias(NodeChecker& checker, const std::vector<Word>& words, From& from) {
  if (words.size() == 1) {
    return;
  }
  if (!is_as(words[1].text)) {
    checker.error(words[1].span, "unexpected-argument",
                  fmt::format("'AS NAME' is expected here, not '{}'", words[1].text));
    return;
  }
  if (words.size() == 2) {
    checker.error(words[1].span, "missing-argument", "the name of the stage is missing after 'AS'");
    return;
  }
  if (words.size() > 3) {
    checker.error({words[3].span.begin, words.back().span.end}, "unexpected-argument",
                  "nothing may follow the name of the stage");
  }
  auto name = words[2];
  std::transform(name.text.begin(), name.text.end(), name.text.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  if (!is_stage_name(name.text)) {
    checker.error(name.span, "bad-stage-name", fmt::format("'{}' cannot be the name of a stage", words[2].text),
                  "a name is a letter, then letters, digits, '-', '_' and '.'");
  }
  from.alias = std::move(name);
  from.as_keyword = words[1];
  from.written_alias = words[2].text;
}

} // namespace

void check_from(NodeChecker& checker) {
  if (checker.missing_arguments("an image", "write 'FROM IMAGE', or 'FROM scratch' to start empty")) {
    return;
  }
  const auto words = checker.words();
  From from;
  from.origin = checker.origin();
  from.image = words[0];
  checker.check_expansion(from.image);
  from.platform = checker.expandable_flag("platform");
  from.comments = checker.node().line.comments();
  read_alias(checker, words, from);
  checker.set_from(std::move(from));
}

void check_arg(NodeChecker& checker) {
  if (checker.missing_arguments("a name", "write 'ARG NAME' or 'ARG NAME=DEFAULT'")) {
    return;
  }
  const auto& node = checker.node();
  const auto split = quoted_words(node.line.text(), node.arguments_range, checker.settings().escape);
  for (const auto& range : split.words) {
    Arg arg;
    arg.origin = checker.origin();
    if (split.words.size() > 1) {
      arg.origin.text = "ARG " + std::string(node.line.text(range));
    }
    auto pair = checker.name_and_value(range);
    arg.name = pair ? pair->name : node.line.word(range);
    if (pair) {
      checker.check_expansion(pair->value);
      arg.default_value = std::move(pair->value);
    }
    arg.comments = node.line.comments();
    checker.add(std::move(arg));
  }
}

} // namespace sheaf::containerfile
