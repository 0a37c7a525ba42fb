// SPDX-License-Identifier: Apache-2.0
#include "detect/matcher.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace sheaf::detect {

std::size_t Matcher::shape(std::string_view name) {
  const std::size_t first = static_cast<unsigned char>(name.front());
  const std::size_t last = static_cast<unsigned char>(name.back());
  return ((first * 31 + last) * 67 + name.size()) % 4096;
}

Matcher::Matcher(std::span<const Rule> rules) : m_rules(rules) {
  for (std::size_t place = 0; place < rules.size(); ++place) {
    const std::string_view glob = rules[place].glob;
    if (glob.find_first_of("*?[\\/") != std::string_view::npos) {
      m_globs.push_back(place);
    } else if (!glob.empty()) {
      m_by_name[glob].push_back(place);
      m_shapes.set(shape(glob));
    }
  }
}

std::vector<std::size_t> Matcher::match(std::string_view folder, std::string_view name) const {
  std::vector<std::size_t> places;
  if (m_shapes.test(shape(name))) {
    if (const auto found = m_by_name.find(name); found != m_by_name.end()) {
      places = found->second;
    }
  }
  for (const auto place : m_globs) {
    const auto& glob = m_rules[place].glob;
    const bool is_path = glob.find('/') != std::string::npos;
    const auto text = (is_path ? std::string(folder) : std::string()).append(name);
    if (::fnmatch(glob.c_str(), text.c_str(), is_path ? FNM_PATHNAME : 0) == 0) {
      places.insert(std::upper_bound(places.begin(), places.end(), place), place);
    }
  }
  return places;
}

} // namespace sheaf::detect
