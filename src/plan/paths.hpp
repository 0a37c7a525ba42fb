// SPDX-License-Identifier: Apache-2.0
#pragma once

// Paths of the root that is being built, as text: nothing is looked up.

#include <string>
#include <string_view>

namespace sheaf::plan {

/// Absolute, without ".", ".." and doubled slashes; ".." at the top stays at the top.
std::string clean_path(std::string_view path);
/// `path` seen from `directory`, clean.
std::string path_in(std::string_view directory, std::string_view path);
/// As `path_in`, but with a slash at the end if `path` means a directory: it ends in a slash, "/." or is "." or empty.
std::string destination_in(std::string_view directory, std::string_view path);
/// As `clean_path`, without the slash in front; "." for all.
std::string relative_path(std::string_view path);

} // namespace sheaf::plan
