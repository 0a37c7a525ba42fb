// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace sheaf {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view k_units = "kmgtp";
  constexpr double k_most = 9.0e18;
  auto unit = std::string(text);
  std::ranges::transform(unit, unit.begin(), [](unsigned char byte) { return std::tolower(byte); });
  const auto digits = std::min(unit.find_first_not_of("0123456789."), unit.size());
  const auto number = unit.substr(0, digits);
  unit.erase(0, digits);
  unit.erase(0, unit.starts_with(' ') ? 1 : 0);
  const auto point = number.find('.');
  const auto whole = to_number<std::uint64_t>(std::string_view(number).substr(0, point));
  const auto fraction = point == std::string::npos || point + 1 == number.size()
                            ? std::optional<std::uint64_t>(0)
                            : to_number<std::uint64_t>(std::string_view(number).substr(point + 1));
  if (!whole || !fraction) {
    return std::nullopt;
  }
  double scale = 1;
  for (auto i = point; i != std::string::npos && i + 1 < number.size(); ++i) {
    scale *= 10;
  }
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const auto power = k_units.find(unit.front());
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "b" && unit.substr(1) != "ib")) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i <= power; ++i) {
      factor *= 1024;
    }
  }
  const auto size = (static_cast<double>(*whole) + static_cast<double>(*fraction) / scale) * factor;
  return size < k_most ? std::optional(static_cast<std::uint64_t>(size)) : std::nullopt;
}

std::optional<std::int64_t> parse_age(std::string_view text) {
  static constexpr std::array<std::pair<char, std::int64_t>, 3> k_units = {
      {{'h', 3600}, {'d', 24 * 3600}, {'w', 7 * 24 * 3600}}};
  constexpr std::int64_t k_most = 10000;
  if (text == "0") {
    return 0;
  }
  const auto unit =
      std::ranges::find(k_units, text.empty() ? '\0' : text.back(), &std::pair<char, std::int64_t>::first);
  const auto count = text.empty() ? std::nullopt : to_number<std::int64_t>(text.substr(0, text.size() - 1));
  const bool is_good = unit != k_units.end() && count && *count >= 0 && *count <= k_most;
  return is_good ? std::optional(*count * unit->second) : std::nullopt;
}

} // namespace sheaf
