// SPDX-License-Identifier: Apache-2.0
#pragma once

// The mounts of a RUN: flags -> values of the step.

#include "containerfile/mount.hpp"
#include "plan/stage_setting.hpp"

#include <vector>

namespace sheaf::plan {

/// Mistakes are reported, and the mount is left out then. `directory` is the working directory.
std::vector<Mount> plan_mounts(const std::vector<containerfile::MountFlag>& flags, const std::string& directory,
                               const StageSetting& setting, StageWords& words);

} // namespace sheaf::plan
