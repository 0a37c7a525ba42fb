// SPDX-License-Identifier: Apache-2.0
#include "detect/toml_value.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>

namespace sheaf::detect {

Result<std::optional<Written>> toml_text(std::string_view contents, std::string_view path) {
  const auto parsed = toml::parse(contents);
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
