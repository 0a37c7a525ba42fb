// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text that ONBUILD left in an image -> instructions.

#include "base/diagnostics.hpp"
#include "containerfile/instructions.hpp"

#include <memory>
#include <vector>

namespace sheaf::plan {

/// Reports what is wrong; empty then.
std::vector<containerfile::Instruction> parse_on_build(const std::shared_ptr<const SourceText>& source,
                                                       Diagnostics& diagnostics);

} // namespace sheaf::plan
