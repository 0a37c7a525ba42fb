// SPDX-License-Identifier: Apache-2.0
#pragma once

// The variables that a project's settings set in its environment and its images. They belong to no layer: what they say
// may change without a build.

#include "catalogue/project_config.hpp"

#include <map>
#include <string>

namespace sheaf::app {

/// CODE_REPO and GIT_BRANCH of `repo` and `branch`, which the base's init script clones, and all of `env`, which wins.
std::map<std::string, std::string> project_environment(const catalogue::ProjectConfig& config);

} // namespace sheaf::app
