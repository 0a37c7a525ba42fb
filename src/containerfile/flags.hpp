// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which flags each instruction takes, in one table, and the check of those that a file gives.

#include "base/diagnostics.hpp"
#include "containerfile/ast.hpp"

#include <map>
#include <memory>
#include <string>

namespace sheaf::containerfile {

/// Values by flag name, without the dashes.
using FlagValues = std::map<std::string, Word, std::less<>>;

/// The flags of `node` that are carried out. The others, and slips, go to `diagnostics`.
FlagValues check_flags(const std::shared_ptr<const SourceText>& source, const Node& node, Diagnostics& diagnostics);

} // namespace sheaf::containerfile
