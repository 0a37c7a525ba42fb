// SPDX-License-Identifier: Apache-2.0
#include "join/three_way.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace sheaf::join {

namespace {

std::vector<std::string_view> members(std::string_view list, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(separator, at), list.size());
    if (end > at) {
      parts.push_back(list.substr(at, end - at));
    }
    at = end + separator.size();
  }
  return parts;
}

} // namespace

std::string three_way_set(std::string_view base, std::string_view a, std::string_view b, std::string_view separator) {
  const auto base_members = members(base, separator);
  const auto a_members = members(a, separator);
  const auto b_members = members(b, separator);
  const std::set<std::string_view> in_base(base_members.begin(), base_members.end());
  const std::set<std::string_view> in_a(a_members.begin(), a_members.end());
  const std::set<std::string_view> in_b(b_members.begin(), b_members.end());
  std::vector<std::string_view> merged;
  std::copy_if(base_members.begin(), base_members.end(), std::back_inserter(merged),
               [&](auto member) { return in_a.contains(member) && in_b.contains(member); });
  std::set<std::string_view> added = in_a;
  added.insert(in_b.begin(), in_b.end());
  std::copy_if(added.begin(), added.end(), std::back_inserter(merged),
               [&](auto member) { return !in_base.contains(member); });
  std::string text;
  for (const auto member : merged) {
    text.append(text.empty() ? std::string_view() : separator).append(member);
  }
  return text;
}

} // namespace sheaf::join
