// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the drivers of package databases say of a conflict, so that dpkg, apk and rpm say it alike.

#include "join/driver.hpp"

namespace sheaf::join {

/// "package 'x' is version 1 in layer 'a' and version 2 in layer 'b'"; `a` and `b` are the states, "removed" or
/// "version 1".
std::string package_conflict_text(std::string_view package, const Conflict& conflict, std::string_view a,
                                  std::string_view b);
/// The remedy for two versions of one package.
std::string one_snapshot_text(std::string_view package);

} // namespace sheaf::join
