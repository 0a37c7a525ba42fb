// SPDX-License-Identifier: Apache-2.0
#include "containerfile/duration.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace sheaf::containerfile {
namespace {

// Longer ones first where one starts with another. Two characters are called micro.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> k_units = {{{"ns", 1},
                                                                               {"us", 1'000},
                                                                               {"\xC2\xB5s", 1'000},
                                                                               {"\xCE\xBCs", 1'000},
                                                                               {"ms", 1'000'000},
                                                                               {"s", 1'000'000'000},
                                                                               {"m", 60'000'000'000},
                                                                               {"h", 3'600'000'000'000}}};
constexpr double k_most = static_cast<double>(std::numeric_limits<std::int64_t>::max());

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes "12.5" off the front; nothing if there is no digit.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  bool any = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any = true) {
    value = value * 10 + (text.front() - '0');
  }
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    for (double scale = 0.1; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any = true, scale /= 10) {
      value += scale * (text.front() - '0');
    }
  }
  return any ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> take_unit(std::string_view& text) {
  for (const auto& [name, nanoseconds] : k_units) {
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return nanoseconds;
    }
  }
  return std::nullopt;
}

} // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text == "0") {
    return std::chrono::nanoseconds(0);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit) {
      return std::nullopt;
    }
    total += *number * static_cast<double>(*unit);
    if (total >= k_most) {
      return std::nullopt;
    }
  }
  const auto count = static_cast<std::int64_t>(total + 0.5);
  return std::chrono::nanoseconds(negative ? -count : count);
}

} // namespace sheaf::containerfile
