// SPDX-License-Identifier: Apache-2.0
#include "base/xml.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace sheaf {
namespace {

constexpr std::uint32_t k_no_character = 0xFFFFFFFF;

struct Character {
  /// k_no_character if the bytes are not UTF-8.
  std::uint32_t code = k_no_character;
  std::size_t size = 1;
};

/// The least code that takes as many bytes: a longer form of a smaller one is not UTF-8.
constexpr std::uint32_t least_of(std::size_t size) { return size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000; }

/// The character at the beginning of `text`, which is not empty. Source: RFC 3629.
Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead > 0xF7 || text.size() < size) {
    return {};
  }
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80) {
      return {};
    }
    code = (code << 6U) | (byte & 0x3FU);
  }
  return code >= least_of(size) ? Character{code, size} : Character();
}

bool is_allowed(std::uint32_t code) {
  const bool is_blank = code == '\t' || code == '\n';
  return is_blank || (code >= 0x20 && code < 0xD800 && code != 0x7F) || (code >= 0xE000 && code <= 0xFFFD) ||
         (code >= 0x10000 && code <= 0x10FFFF);
}

} // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_of(text);
    const auto bytes = text.substr(0, character.size);
    text.remove_prefix(character.size);
    switch (character.code) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      if (is_allowed(character.code)) {
        out += bytes;
      } else {
        for (const char byte : bytes) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        }
      }
    }
  }
  return out;
}

std::string xml_attribute(std::string_view text) {
  std::string out = "\"";
  for (const char c : xml_text(text)) {
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "&#10;" : "&#9;";
    } else {
      out += c;
    }
  }
  return out + '"';
}

} // namespace sheaf
