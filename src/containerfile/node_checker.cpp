// SPDX-License-Identifier: Apache-2.0
#include "containerfile/node_checker.hpp"

#include "containerfile/chmod.hpp"
#include "containerfile/expand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace sheaf::containerfile {
namespace {

/// The first line of a heredoc, for people.
std::string summary(std::string_view body) {
  const auto text = trimmed(body, {0, body.size()});
  const auto end = std::min(body.find('\n', text.begin), text.end);
  const auto first = trimmed(body, {text.begin, end});
  return first.empty() ? ""
                       : fmt::format(" ({}{})", body.substr(first.begin, first.size()), end < text.end ? "..." : "");
}

} // namespace

CheckedNode NodeChecker::take_result() {
  return m_diagnostics.error_count() == m_errors_before ? std::move(m_result) : CheckedNode();
}

void NodeChecker::error(Span span, std::string rule, std::string message, std::string hint) {
  m_diagnostics.error(m_settings.source, span, std::move(rule), std::move(message), std::move(hint));
}

void NodeChecker::warning(Span span, std::string rule, std::string message, std::string hint) {
  m_diagnostics.warning(m_settings.source, span, std::move(rule), std::move(message), std::move(hint));
}

bool NodeChecker::missing_arguments(std::string_view what, std::string hint) {
  if (!m_node.arguments.text.empty()) {
    return false;
  }
  error(m_node.keyword.span, "missing-argument", fmt::format("{} needs {}", m_node.keyword.text, what),
        std::move(hint));
  return true;
}

void NodeChecker::check_expansion(const Word& word) {
  // Every variable is set, so nothing but the syntax can be wrong.
  const auto expanded = expand(
      word.text, [](std::string_view) { return std::optional<std::string>("x"); }, m_settings.escape);
  if (!expanded) {
    error(word.span, "bad-substitution", expanded.error().message());
  }
}

std::optional<Word> NodeChecker::flag(std::string_view name) const {
  const auto found = m_flags.find(name);
  return found != m_flags.end() ? found->second.front()->value : std::nullopt;
}

std::optional<Word> NodeChecker::expandable_flag(std::string_view name) {
  auto value = flag(name);
  if (value) {
    check_expansion(*value);
  }
  return value;
}

std::vector<const Flag*> NodeChecker::flags(std::string_view name) const {
  const auto found = m_flags.find(name);
  return found != m_flags.end() ? found->second : std::vector<const Flag*>();
}

std::optional<bool> NodeChecker::truth(std::string_view name) const {
  const auto found = m_flags.find(name);
  if (found == m_flags.end()) {
    return std::nullopt;
  }
  const auto& value = found->second.front()->value;
  return !value || std::tolower(static_cast<unsigned char>(value->text.front())) == 't';
}

std::optional<Word> NodeChecker::mode_flag() {
  auto mode = expandable_flag("chmod");
  if (mode && !has_variable(*mode) && !is_valid_mode(mode->text)) {
    error(mode->span, "bad-mode", fmt::format("'{}' is no mode of a file", mode->text),
          "write '--chmod=755' or '--chmod=u=rwX,go=rX', for example");
  }
  return mode;
}

Origin NodeChecker::origin() const {
  Origin origin{m_node.line.span(), 0, m_node.line.display(), m_node.line.word(m_node.keyword_range)};
  origin.line = m_settings.source->position(origin.span.begin).line;
  origin.text.replace(0, m_node.keyword.text.size(), m_node.keyword.text);
  if (!m_node.line.heredocs().empty()) {
    origin.text += summary(m_node.line.heredocs().front().content());
  }
  return origin;
}

std::vector<Word> NodeChecker::words() const {
  std::vector<Word> words;
  for (const auto& range : blank_separated(m_node.line.text(), m_node.arguments_range)) {
    words.push_back(m_node.line.word(range));
  }
  return words;
}

std::vector<Word> NodeChecker::json_words(const JsonArray& json) const {
  std::vector<Word> words;
  for (const auto& item : json.items) {
    words.push_back({item.text, m_node.line.span(item.range)});
  }
  return words;
}

bool NodeChecker::is_json(const JsonArray& json, std::string_view instead) {
  if (json.form == ArrayForm::not_strings) {
    error(m_node.line.span(json.where), "json-form", json.problem);
  } else if (json.form == ArrayForm::broken) {
    warning(m_node.line.span(json.where), "json-form", fmt::format("{}, so {}", json.problem, instead));
  }
  return json.form == ArrayForm::array;
}

std::vector<Word> NodeChecker::words_or_json() {
  return is_json(m_node.json, "this is no JSON array and its words are taken as paths") ? json_words() : words();
}

std::variant<ShellCommand, ExecCommand> NodeChecker::command(const JsonArray& json, Range range) {
  auto text = m_node.line.word(range);
  if (is_json(json, "this is no JSON array and the shell runs it as text")) {
    return ExecCommand{json_words(json), text.span};
  }
  return ShellCommand{std::move(text.text), text.span};
}

std::optional<KeyValue> NodeChecker::name_and_value(Range word) {
  const auto equals = m_node.line.text(word).find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  const Range name{word.begin, word.begin + equals};
  if (name.empty()) {
    error(m_node.line.span(word), "missing-name", "the name in front of '=' is missing");
  }
  return KeyValue{m_node.line.word(name), m_node.line.word({name.end + 1, word.end})};
}

} // namespace sheaf::containerfile
