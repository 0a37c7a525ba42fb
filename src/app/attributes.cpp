// SPDX-License-Identifier: Apache-2.0
#include "app/attributes.hpp"

#include <fmt/format.h>

namespace sheaf::app {
namespace {

/// The field that begins at `at`, which is moved behind its comma; `invalid` if its quotes are not closed.
Result<std::string> take_field(std::string_view text, std::size_t& at) {
  std::string field;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' && quoted && at + 1 < text.size() && text[at + 1] == '"') {
      field += '"';
      ++at;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      break;
    } else {
      field += c;
    }
  }
  ++at;
  if (quoted) {
    return Error(ErrorCode::invalid, fmt::format("the quotes in '{}' are not closed", text));
  }
  return field;
}

} // namespace

Result<std::vector<Attribute>> parse_attributes(std::string_view text) {
  std::vector<Attribute> attributes;
  for (std::size_t at = 0; at < text.size();) {
    SHEAF_TRY_ASSIGN(const auto field, take_field(text, at));
    const auto equals = field.find('=');
    attributes.push_back({field.substr(0, equals),
                          equals == std::string::npos ? std::nullopt : std::optional(field.substr(equals + 1))});
  }
  return attributes;
}

} // namespace sheaf::app
