// SPDX-License-Identifier: Apache-2.0
// ENV and LABEL.
#include "containerfile/node_checker.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::containerfile {
namespace {

struct Pairs {
  std::vector<KeyValue> pairs;
  bool legacy = false;
};

std::vector<KeyValue> modern_pairs(NodeChecker& checker, const std::vector<Range>& words) {
  std::vector<KeyValue> pairs;
  for (const auto& range : words) {
    if (auto pair = checker.name_and_value(range)) {
      pairs.push_back(std::move(*pair));
      continue;
    }
    const auto word = checker.node().line.word(range);
    checker.error(word.span, "missing-value", fmt::format("'{}' is no 'NAME=VALUE'", word.text),
                  "a value with blanks has to be in quotes");
  }
  return pairs;
}

/// `ENV NAME the value`, of old.
std::vector<KeyValue> legacy_pair(NodeChecker& checker, const std::vector<Range>& words) {
  const auto& node = checker.node();
  const auto name = node.line.word(words.front());
  if (words.size() == 1) {
    checker.error(name.span, "missing-value", fmt::format("{} '{}' has no value", node.keyword.text, name.text),
                  fmt::format("write '{} {}=VALUE'", node.keyword.text, name.text));
    return {};
  }
  return {KeyValue{name, node.line.word({words[1].begin, node.arguments_range.end})}};
}

Pairs read_pairs(NodeChecker& checker) {
  const auto& node = checker.node();
  if (checker.missing_arguments("a name and a value", fmt::format("write '{} NAME=VALUE'", node.keyword.text))) {
    return {};
  }
  const auto split = quoted_words(node.line.text(), node.arguments_range, checker.settings().escape);
  Pairs read;
  read.legacy = node.line.text(split.words.front()).find('=') == std::string_view::npos;
  read.pairs = read.legacy ? legacy_pair(checker, split.words) : modern_pairs(checker, split.words);
  for (const auto& pair : read.pairs) {
    checker.check_expansion(pair.name);
    checker.check_expansion(pair.value);
  }
  return read;
}

} // namespace

void check_env(NodeChecker& checker) {
  if (auto read = read_pairs(checker); !read.pairs.empty()) {
    checker.add(Env{checker.origin(), std::move(read.pairs), read.legacy});
  }
}

void check_label(NodeChecker& checker) {
  if (auto read = read_pairs(checker); !read.pairs.empty()) {
    checker.add(Label{checker.origin(), std::move(read.pairs), read.legacy});
  }
}

} // namespace sheaf::containerfile
