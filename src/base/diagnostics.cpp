// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace sheaf {
namespace {

/// Spaces below `text`, keeping tabs so that the caret stands under its character in any terminal.
std::string blank_like(std::string_view text) {
  std::string blank;
  for (const char c : text) {
    if (c == '\t') {
      blank += '\t';
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) { // one column per UTF-8 character
      blank += ' ';
    }
  }
  return blank;
}

std::size_t caret_width(const Diagnostic& diagnostic, std::string_view line, std::size_t column) {
  const auto length = diagnostic.span.end > diagnostic.span.begin ? diagnostic.span.end - diagnostic.span.begin : 1;
  const auto room = line.size() >= column ? line.size() - column + 1 : 1;
  return std::max<std::size_t>(1, std::min(length, room));
}

} // namespace

std::string render(const Diagnostic& diagnostic) {
  const auto* severity = diagnostic.severity == Severity::error ? "error" : "warning";
  std::string text;
  if (diagnostic.source) {
    const auto at = diagnostic.source->position(diagnostic.span.begin);
    const auto line = diagnostic.source->line(at.line);
    const auto number = std::to_string(at.line);
    text = fmt::format("{}:{}:{}: {}: {} [{}]\n", diagnostic.source->name(), at.line, at.column, severity,
                       diagnostic.message, diagnostic.rule);
    text += fmt::format(" {} | {}\n {} | {}{}", number, line, std::string(number.size(), ' '),
                        blank_like(line.substr(0, at.column - 1)),
                        std::string(caret_width(diagnostic, line, at.column), '^'));
  } else {
    text = fmt::format("{}: {} [{}]", severity, diagnostic.message, diagnostic.rule);
  }
  if (!diagnostic.hint.empty()) {
    text += "\n   = hint: " + diagnostic.hint;
  }
  return text;
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) {
    ++m_errors;
  }
  m_all.push_back(std::move(diagnostic));
}

void Diagnostics::error(std::shared_ptr<const SourceText> source, Span span, std::string rule, std::string message,
                        std::string hint) {
  add({Severity::error, std::move(rule), std::move(message), std::move(source), span, std::move(hint)});
}

void Diagnostics::warning(std::shared_ptr<const SourceText> source, Span span, std::string rule, std::string message,
                          std::string hint) {
  add({Severity::warning, std::move(rule), std::move(message), std::move(source), span, std::move(hint)});
}

std::string Diagnostics::render() const {
  std::vector<const Diagnostic*> order;
  order.reserve(m_all.size());
  for (const auto& diagnostic : m_all) {
    order.push_back(&diagnostic);
  }
  std::stable_sort(order.begin(), order.end(), [](const Diagnostic* a, const Diagnostic* b) {
    const auto name = [](const Diagnostic* d) { return d->source ? std::string_view(d->source->name()) : ""; };
    return std::tuple(name(a), a->span.begin) < std::tuple(name(b), b->span.begin);
  });
  std::string text;
  for (const auto* diagnostic : order) {
    text += (text.empty() ? "" : "\n") + sheaf::render(*diagnostic);
  }
  return text;
}

Error Diagnostics::to_error(std::string_view doing) const {
  return Error(ErrorCode::invalid, fmt::format("{}: {} {}", doing, m_errors, m_errors == 1 ? "mistake" : "mistakes"))
      .with_details(render());
}

} // namespace sheaf
