// SPDX-License-Identifier: Apache-2.0
#include "join/three_way.hpp"

#include <algorithm>
#include <set>

namespace sheaf::join {

namespace {

std::set<std::string_view> members(std::string_view list, std::string_view separator) {
  std::set<std::string_view> parts;
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(separator, at), list.size());
    if (end > at) {
      parts.insert(list.substr(at, end - at));
    }
    at = end + separator.size();
  }
  return parts;
}

} // namespace

std::string three_way_set(std::string_view base, std::string_view a, std::string_view b, std::string_view separator) {
  const auto in_base = members(base, separator);
  const auto in_a = members(a, separator);
  const auto in_b = members(b, separator);
  auto all = in_a;
  all.insert(in_b.begin(), in_b.end());
  std::string text;
  for (const auto member : all) {
    const bool removed = in_base.contains(member) && !(in_a.contains(member) && in_b.contains(member));
    if (!removed) {
      text.append(text.empty() ? std::string_view() : separator).append(member);
    }
  }
  return text;
}

} // namespace sheaf::join
