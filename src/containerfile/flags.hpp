// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which flags each instruction takes, in one table, and the check of those that a file gives.

#include "base/diagnostics.hpp"
#include "containerfile/ast.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sheaf::containerfile {

/// The flags by name, without the dashes; several only where an instruction may repeat the flag. They point into the
/// node.
using FlagValues = std::map<std::string, std::vector<const Flag*>, std::less<>>;

/// The flags of `node`, all known, with a value where one is needed; one that is given empty ("--chown=") counts as not
/// given, as in BuildKit. Slips go to `diagnostics`.
FlagValues check_flags(const std::shared_ptr<const SourceText>& source, const Node& node, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
