// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_words.hpp"

#include <algorithm>

namespace sheaf::plan {
std::optional<std::string> find_variable(const Variables& variables, std::string_view name) {
  const auto found = std::ranges::find(variables, name, [](const auto& one) { return std::string_view(one.first); });
  return found != variables.end() ? std::optional(found->second) : std::nullopt;
}

void set_variable(Variables& variables, const std::string& name, const std::string& value) {
  std::erase_if(variables, [&](const auto& one) { return one.first == name; });
  variables.emplace_back(name, value);
}

StageWords::StageWords(std::shared_ptr<const SourceText> source, char escape, Variables variables,
                       Diagnostics& diagnostics)
    : m_source(std::move(source)), m_escape(escape), m_variables(std::move(variables)), m_diagnostics(diagnostics) {}

void StageWords::read_from(std::shared_ptr<const SourceText> source, char escape) {
  m_source = std::move(source);
  m_escape = escape;
}

containerfile::Lookup StageWords::lookup() const {
  return [this](std::string_view name) { return find_variable(m_variables, name); };
}

std::string StageWords::checked(Result<std::string> value, Span span) {
  if (!value) {
    error(span, "expansion", value.error().summary(), value.error().hint());
    return {};
  }
  return std::move(*value);
}

std::string StageWords::expand(const containerfile::Word& word) {
  return checked(containerfile::expand(word.text, lookup(), m_escape), word.span);
}

std::string StageWords::expand(const std::optional<containerfile::Word>& word) {
  return word ? expand(*word) : std::string();
}

std::vector<std::string> StageWords::expand(const std::vector<containerfile::Word>& words) {
  std::vector<std::string> values;
  for (const auto& word : words) {
    values.push_back(expand(word));
  }
  return values;
}

std::string StageWords::content_of(const containerfile::InlineFile& file) {
  return file.expand ? checked(containerfile::expand_content(file.content, lookup()), file.content_span) : file.content;
}

void StageWords::error(Span span, std::string rule, std::string message, std::string hint) {
  m_diagnostics.error(m_source, span, std::move(rule), std::move(message), std::move(hint));
}

void StageWords::warning(Span span, std::string rule, std::string message, std::string hint) {
  m_diagnostics.warning(m_source, span, std::move(rule), std::move(message), std::move(hint));
}

} // namespace sheaf::plan
