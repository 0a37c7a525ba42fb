// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which version of a layer is the newest upstream: the layer's own command says it, in the environment of its needs.

#include "app/project_plan.hpp"

#include <string>

namespace sheaf::app {

struct Session;

/// What the command `newest` of the layer prints: a value of its argument `version`. Builds what the layer needs first.
/// `failed_step` if the command fails, `invalid` if it prints anything else. The layer must have the command.
Result<std::string> newest_version(const Project& project, const catalogue::LayerDefinition& layer,
                                   const Session& session);

} // namespace sheaf::app
