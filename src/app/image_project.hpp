// SPDX-License-Identifier: Apache-2.0
#pragma once

// A project that uses an image as it is instead of layers (`image:`, `--image`; spec.md, SEL-6). Nothing is detected,
// built or joined; the project, its variables and its mounts are there as usual.

#include "app/layer_states.hpp"
#include "app/stack_image.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

/// The image of `project.config.image`, from the store or its registry, as an environment without layers; with
/// `project.pull` the registry is asked. It starts as the image says: its user, its WORKDIR (/workspace if it has
/// none). Credentials are those of the agents that the choices add.
Result<Environment> image_environment(const Project& project, const Session& session);

/// What to run: ENTRYPOINT with `arguments` in place of CMD. `invalid` if that is nothing.
Result<std::vector<std::string>> image_command(const Environment& environment,
                                               const std::vector<std::string>& arguments);

/// The one line of its plan.
Result<PlannedLayer> examine_image(const Project& project, const Session& session);

/// Names the image as one of the project is, PROJECT:l2-dev.
Result<StackImage> name_image(const Project& project, const Session& session);

} // namespace sheaf::app
