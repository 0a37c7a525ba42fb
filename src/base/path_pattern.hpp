// SPDX-License-Identifier: Apache-2.0
#pragma once

// Patterns of root-relative paths, as the tables of noise and of generated files use them. Pure.

#include <string>
#include <string_view>

namespace sheaf {

/// "x/**" is everything below x but not x; anything else is fnmatch(3) with FNM_PATHNAME.
bool matches_path(std::string_view pattern, const std::string& path);
/// The part of `pattern` before its first wildcard: every path that matches begins with it.
std::string_view literal_prefix(std::string_view pattern);

} // namespace sheaf
