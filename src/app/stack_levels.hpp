// SPDX-License-Identifier: Apache-2.0
#pragma once

// The vertical stack that `stacks:` names, level by level (spec.md, SEL-8): what one level selects.

#include "app/project.hpp"
#include "resolve/resolve.hpp"

namespace sheaf::app {

/// What the level `project.stack` and all below it name, and what the choices add: nothing is detected. `not_found` if
/// there is no such level, or no such agent.
Result<resolve::Selection> select_level(const Project& project);

} // namespace sheaf::app
