// SPDX-License-Identifier: Apache-2.0
#include "containerfile/ast.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// A quote in front of the '=' moves nothing that matters: no flag has one in its name.
Flag parse_flag(const LogicalLine& line, const FlagWord& word) {
  Flag flag;
  flag.span = line.span(word.range);
  const auto raw_equals = line.text(word.range).find('=');
  const auto equals = word.text.find('=');
  const auto name_end = raw_equals == std::string_view::npos ? word.range.end : word.range.begin + raw_equals;
  flag.name = {word.text.substr(2, equals == std::string::npos ? equals : equals - 2),
               line.span({std::min(word.range.begin + 2, name_end), name_end})};
  if (equals != std::string::npos) {
    flag.value_range = {std::min(name_end + 1, word.range.end), word.range.end};
    flag.value = {word.text.substr(equals + 1), line.span(flag.value_range)};
  }
  return flag;
}

} // namespace

Node parse_node(LogicalLine line) {
  const auto parts = split_instruction(line.text());
  Node node;
  node.keyword = line.word(parts.keyword);
  node.keyword_range = parts.keyword;
  for (char& c : node.keyword.text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  for (const auto& word : parts.flags) {
    node.flags.push_back(parse_flag(line, word));
  }
  node.arguments = line.word(parts.arguments);
  node.arguments_range = parts.arguments;
  node.json = read_json_array(line.text(), parts.arguments);
  node.line = std::move(line);
  return node;
}

} // namespace sheaf::containerfile
