// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds a cycle among named things, for messages that show it. Used by the catalogue's checks and by `resolve/`.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

/// From each name to the names it depends on; those that are no key themselves are ignored.
using Dependencies = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The first cycle in alphabetical order, closed ("a", "b", "a"); empty if there is none.
std::vector<std::string> find_cycle(const Dependencies& dependencies);
/// "a → b → a".
std::string render_cycle(const std::vector<std::string>& cycle);

} // namespace sheaf::catalogue
