// SPDX-License-Identifier: Apache-2.0
#include "base/path_pattern.hpp"

#include <fnmatch.h>

namespace sheaf {

namespace {
constexpr std::string_view k_special = "*?[\\";
} // namespace

bool matches_path(std::string_view pattern, const std::string& path) {
  if (pattern.ends_with("/**")) {
    const auto folder = pattern.substr(0, pattern.size() - 3);
    if (folder.find_first_of(k_special) == std::string_view::npos) {
      return path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder);
    }
    // FNM_LEADING_DIR: what follows the match after a slash does not count.
    return fnmatch((std::string(folder) + "/*").c_str(), path.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
  }
  return fnmatch(std::string(pattern).c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

std::string_view literal_prefix(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of(k_special));
}

} // namespace sheaf
