// SPDX-License-Identifier: Apache-2.0
#include "plan/go_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace sheaf::plan {
namespace {

/// As Go's strconv.Quote, but for characters beyond ASCII, which stay as they are.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
    case '"':
    case '\\':
      result += {'\\', c};
      break;
    case '\n':
      result += "\\n";
      break;
    case '\t':
      result += "\\t";
      break;
    case '\r':
      result += "\\r";
      break;
    default:
      const auto byte = static_cast<unsigned char>(c);
      result += byte < 0x20U || byte == 0x7FU ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
  }
  return result + "\"";
}

/// `value` thousandths of a unit with `digits` places, without zeros at the end.
std::string decimal(std::int64_t whole, std::int64_t part, int digits) {
  if (part == 0) {
    return std::to_string(whole);
  }
  auto places = fmt::format("{:0{}}", part, digits);
  places.erase(places.find_last_not_of('0') + 1);
  return fmt::format("{}.{}", whole, places);
}

} // namespace

std::string quoted_list(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const auto& word : words) {
    parts.push_back(quoted(word));
  }
  return plain_list(parts);
}

std::string plain_list(const std::vector<std::string>& words) { return fmt::format("[{}]", joined(words, " ")); }

std::string duration_text(std::int64_t nanoseconds) {
  constexpr std::int64_t microsecond = 1000;
  constexpr std::int64_t millisecond = 1000 * microsecond;
  constexpr std::int64_t second = 1000 * millisecond;
  if (nanoseconds == 0) {
    return "0s";
  }
  if (nanoseconds < 0) {
    return "-" + duration_text(-nanoseconds);
  }
  if (nanoseconds < microsecond) {
    return fmt::format("{}ns", nanoseconds);
  }
  if (nanoseconds < millisecond) {
    return decimal(nanoseconds / microsecond, nanoseconds % microsecond, 3) + "µs";
  }
  if (nanoseconds < second) {
    return decimal(nanoseconds / millisecond, nanoseconds % millisecond, 6) + "ms";
  }
  const auto seconds = nanoseconds / second;
  const auto rest = decimal(seconds % 60, nanoseconds % second, 9) + "s";
  if (seconds < 60) {
    return rest;
  }
  const auto minutes = fmt::format("{}m{}", seconds / 60 % 60, rest);
  return seconds < 3600 ? minutes : fmt::format("{}h{}", seconds / 3600, minutes);
}

std::string healthcheck_text(const oci::Healthcheck& check) {
  return fmt::format("{{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
                     plain_list(check.test), duration_text(check.interval), duration_text(check.timeout),
                     duration_text(check.start_period), duration_text(check.start_interval), check.retries);
}

} // namespace sheaf::plan
