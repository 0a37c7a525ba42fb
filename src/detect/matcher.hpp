// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules, such that a file name that no rule is about costs next to nothing. Used by the walk of `detect`.

#include "detect/detect.hpp"

#include <bitset>
#include <string_view>
#include <unordered_map>

namespace sheaf::detect {

class Matcher {
public:
  /// `rules` are borrowed.
  explicit Matcher(std::span<const Rule> rules);

  /// The places of the rules that fit the file `name` in `folder` ("" or "a/b/"), ascending.
  std::vector<std::size_t> match(std::string_view folder, std::string_view name) const;

  const Rule& rule(std::size_t place) const { return m_rules[place]; }

private:
  /// Names of equal ends and lengths share a bit.
  static std::size_t shape(std::string_view name);

  std::span<const Rule> m_rules;
  std::unordered_map<std::string_view, std::vector<std::size_t>> m_by_name;
  std::bitset<4096> m_shapes;
  std::vector<std::size_t> m_globs;
};

} // namespace sheaf::detect
