// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <fmt/format.h>

namespace sheaf {
namespace {

/// Length of the SGR sequence ("ESC [ 1 ; 31 m") that `text` begins with, or 0.
std::size_t colour_at(std::string_view text) {
  if (!text.starts_with("\x1b[")) {
    return 0;
  }
  const auto end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

/// A C0 control or DEL, or a C1 control in UTF-8: its length, else 0.
std::size_t control_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7f) {
    return 1;
  }
  const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
  return first == 0xc2 && second >= 0x80 && second <= 0x9f ? 2 : 0;
}

} // namespace

std::string printable(std::string_view text, Colours colours) {
  std::string result;
  bool coloured = false;
  while (!text.empty()) {
    std::size_t length = control_at(text);
    if (length == 0 || text[0] == '\n' || text[0] == '\t') {
      result += text[0];
      length = 1;
    } else if (const auto colour = colour_at(text); colour > 0) {
      length = colour;
      coloured = coloured || colours == Colours::kept;
      result += colours == Colours::kept ? text.substr(0, length) : std::string_view();
    } else if (text[0] != '\r' || (text.size() > 1 && text[1] != '\n')) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[length - 1]));
    }
    text.remove_prefix(length);
  }
  return coloured ? result + "\x1b[0m" : result;
}

} // namespace sheaf
