// SPDX-License-Identifier: Apache-2.0
#pragma once

// The arguments that are known before the first stage: those of the platforms, and the ARGs in front of the first FROM.

#include "containerfile/file.hpp"
#include "plan/platform.hpp"
#include "plan/stage_setting.hpp"

#include <string>

namespace sheaf::plan {

/// TARGETPLATFORM, TARGETOS, …, BUILDPLATFORM, …, TARGETSTAGE, each unless a build argument says otherwise; then what
/// the file says, with the build arguments. `target_stage` is empty for an unnamed one.
Variables global_arguments(const containerfile::File& file, const BuildArguments& build_args, const Platform& target,
                           const std::string& target_stage, Diagnostics& diagnostics);

/// One warning for all build arguments that no ARG of the file declares and that mean nothing by themselves.
void warn_of_unused(const containerfile::File& file, const BuildArguments& build_args, Diagnostics& diagnostics);

} // namespace sheaf::plan
