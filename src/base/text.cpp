// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace sheaf {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  auto lines = split(text, '\n');
  if (lines.back().empty()) {
    lines.pop_back();
  }
  return lines;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n";
  const auto first = text.find_first_not_of(k_blank);
  if (first == std::string_view::npos) {
    return text.substr(0, 0); // of the argument, so that it has a place
  }
  return text.substr(first, text.find_last_not_of(k_blank) - first + 1);
}

std::string joined(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i > 0 ? std::string(separator) : std::string()) + parts[i];
  }
  return text;
}

std::string shell_quote(std::string_view text) {
  constexpr std::string_view k_plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^";
  if (!text.empty() && text.find_first_not_of(k_plain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string shell_join(std::span<const std::string> words) {
  std::string line;
  for (const auto& word : words) {
    line += (line.empty() ? "" : " ") + shell_quote(word);
  }
  return line;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> k_units = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < k_units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 || value >= 99.5 ? fmt::format("{:.0f} {}", value, k_units[unit])
                                    : fmt::format("{:.1f} {}", value, k_units[unit]);
}

std::string human_milliseconds(double milliseconds) {
  if (milliseconds < 10) {
    return fmt::format("{:.1f} ms", milliseconds);
  }
  if (milliseconds < 999.5) {
    return fmt::format("{:.0f} ms", milliseconds);
  }
  const double seconds = milliseconds / 1000;
  if (seconds < 99.5) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = std::lround(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

} // namespace sheaf
