// SPDX-License-Identifier: Apache-2.0
#include "containerfile/scan.hpp"

#include "base/text.hpp"

namespace sheaf::containerfile {
namespace {

/// The flag at `at`, whose quotes are taken off. BuildKit's escape is always '\' here, whatever the directive says.
FlagWord read_flag(std::string_view text, std::size_t at) {
  FlagWord flag{{at, at}, {}};
  char quote = 0;
  for (; at < text.size() && (quote != 0 || !is_blank(text[at])); ++at) {
    const char c = text[at];
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\') {
      if (at + 1 < text.size()) {
        flag.text += text[++at];
      }
    } else {
      flag.text += c;
    }
  }
  flag.range.end = at;
  return flag;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) {
    ++at;
  }
  return at;
}

/// Takes quotes and backslashes off a word; nothing if its quotes are not balanced.
std::optional<std::string> unquoted(std::string_view word) {
  std::string plain;
  char quote = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < word.size() &&
                         (quote == 0 || std::string_view("\"$\\").find(word[i + 1]) != std::string_view::npos);
    if (escapes) {
      plain += word[++i];
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else {
      plain += c;
    }
  }
  return quote == 0 ? std::optional(plain) : std::nullopt;
}

} // namespace

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Range trimmed(std::string_view text, Range range) {
  while (range.begin < range.end && is_blank(text[range.begin])) {
    ++range.begin;
  }
  while (range.end > range.begin && is_blank(text[range.end - 1])) {
    --range.end;
  }
  return range;
}

InstructionParts split_instruction(std::string_view text) {
  InstructionParts parts;
  const auto line = trimmed(text, {0, text.size()});
  text = text.substr(0, line.end);
  auto at = line.begin;
  while (at < line.end && !is_blank(text[at])) {
    ++at;
  }
  parts.keyword = {line.begin, at};
  at = skip_blanks(text, at);
  while (text.substr(at).starts_with("--")) {
    auto flag = read_flag(text, at);
    at = skip_blanks(text, flag.range.end);
    if (flag.text == "--") { // ends the flags, and is itself none
      break;
    }
    parts.flags.push_back(std::move(flag));
  }
  parts.arguments = {at, line.end};
  return parts;
}

std::vector<Range> blank_separated(std::string_view text, Range within) {
  std::vector<Range> words;
  for (auto at = within.begin; at < within.end;) {
    const auto begin = at;
    while (at < within.end && !is_blank(text[at])) {
      ++at;
    }
    if (at > begin) {
      words.push_back({begin, at});
    } else {
      ++at;
    }
  }
  return words;
}

QuotedWords quoted_words(std::string_view text, Range within, char escape) {
  QuotedWords result;
  std::optional<std::size_t> begin;
  char quote = 0;
  for (auto at = within.begin; at < within.end; ++at) {
    const char c = text[at];
    if (quote == 0 && is_blank(c)) {
      if (begin) {
        result.words.push_back({*begin, at});
      }
      begin.reset();
      continue;
    }
    begin = begin.value_or(at);
    if (c == escape && quote != '\'') {
      ++at; // the next character means itself, be it a blank or a quote
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  if (begin) {
    result.words.push_back({*begin, within.end});
  }
  result.balanced = quote == 0;
  return result;
}

std::optional<HeredocMarker> heredoc_marker(std::string_view text, Range word) {
  auto at = word.begin;
  while (at < word.end && text[at] >= '0' && text[at] <= '9') {
    ++at;
  }
  const auto digits = text.substr(word.begin, at - word.begin);
  const auto descriptor = digits.empty() ? std::optional(0U) : to_number<unsigned>(digits);
  if (!descriptor || !text.substr(at, word.end - at).starts_with("<<")) {
    return std::nullopt;
  }
  at += 2;
  const bool strip_tabs = at < word.end && text[at] == '-';
  at += strip_tabs ? 1 : 0;
  const auto name = text.substr(at, word.end - at);
  const auto plain = unquoted(name);
  const bool one_word = quoted_words(text, {at, word.end}, '\\').words == std::vector{Range{at, word.end}};
  if (!plain || plain->empty() || !one_word || name.find('<') != std::string_view::npos) {
    return std::nullopt;
  }
  return HeredocMarker{word, *plain, *descriptor, strip_tabs, *plain == name};
}

std::vector<HeredocMarker> heredoc_markers(std::string_view text, Range within) {
  std::vector<HeredocMarker> markers;
  const auto split = quoted_words(text, within, '\\');
  if (!split.balanced) {
    return markers;
  }
  for (const auto& word : split.words) {
    if (auto marker = heredoc_marker(text, word)) {
      markers.push_back(std::move(*marker));
    }
  }
  return markers;
}

} // namespace sheaf::containerfile
