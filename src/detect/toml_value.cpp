// SPDX-License-Identifier: Apache-2.0
#include "detect/toml_value.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

// The library takes for granted what a file need not keep to ("[|" is a table header to it), so its assumptions are
// switched off: what comes behind them reports the mistake.
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
// NOLINTBEGIN(readability-identifier-naming): the library's names
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_ASSERT_ASSUME(condition) static_cast<void>(0)
// NOLINTEND(readability-identifier-naming)
#include <toml++/toml.h>

#include <algorithm>

namespace sheaf::detect {
namespace {

/// TOML forbids them everywhere; the library's parser of keys fails an assertion on NUL instead of saying so.
bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == '\x7f';
}

/// Only comments, strings and quoted keys may have such, and no version has; elsewhere they lead the library to a place
/// that it says cannot be reached.
bool is_not_ascii(char c) { return static_cast<unsigned char>(c) > 0x7f; }

} // namespace

Result<std::optional<Written>> toml_text(std::string_view contents, std::string_view path) {
  if (const auto* found = std::find_if(contents.begin(), contents.end(), is_control); found != contents.end()) {
    const auto line = 1 + std::count(contents.begin(), found, '\n');
    return Error(ErrorCode::invalid, fmt::format("line {} is not TOML: it has a control character", line));
  }
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  std::string ascii(contents.substr(contents.starts_with(k_byte_order_mark) ? k_byte_order_mark.size() : 0));
  std::ranges::replace_if(ascii, is_not_ascii, '?');
  const auto parsed = toml::parse(ascii);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error(ErrorCode::invalid,
                 fmt::format("line {} is not TOML: {}", error.source().begin.line, error.description()));
  }
  const toml::node* node = &parsed.table();
  for (const auto key : split(path, '.')) {
    const auto* table = node->as_table();
    node = table != nullptr ? table->get(key) : nullptr;
    if (node == nullptr) {
      return std::nullopt;
    }
  }
  const auto* text = node->as_string();
  return text != nullptr ? std::optional(Written{text->get(), node->source().begin.line}) : std::nullopt;
}

} // namespace sheaf::detect
