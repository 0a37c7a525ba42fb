// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files of stanzas: "Field: value" lines, a blank line between stanzas (deb822(5)). Used by the drivers of dpkg, apt
// and debconf; a record's value is the whole text of its stanza, ending in one newline.

#include "join/driver.hpp"

#include <functional>

namespace sheaf::join {

/// The value of the first field of that name (case matters) in a stanza, without its continuation lines.
std::optional<std::string_view> stanza_field(std::string_view stanza, std::string_view name);

/// One record per stanza. `key_of` gives the stanza's key, empty if it has none (then `corrupt`).
Result<Records> parse_stanzas(std::string_view file, std::string_view text,
                              const std::function<std::string(std::string_view stanza)>& key_of);
/// Every stanza followed by a blank line, as dpkg, apt and debconf write them.
std::string print_stanzas(const Records& records);

/// "package:architecture", "package" without an architecture, empty without a package.
std::string package_key(std::string_view stanza);
/// Sorts by package name, then architecture, both bytewise; keys are those of `package_key`.
void sort_by_package(Records& records);

} // namespace sheaf::join
