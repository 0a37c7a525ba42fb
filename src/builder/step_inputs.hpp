// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a step of a plan to its key and to what the sandbox is to do; the two ask the same questions about where files
// come from.

#include "builder/copy_spec.hpp"
#include "builder/image_sources.hpp"
#include "builder/stage_runner.hpp"
#include "store/staging.hpp"

#include <string>
#include <vector>

namespace sheaf::builder {

struct KeyedStep {
  Digest key;
  Versions versions;
  /// A step must not be remembered by its key if any of these is another by the time it has ended.
  std::vector<ContextRead> reads;
};

/// Reads digests of what the step reads, no more. `not_found` for a file to copy that is not there.
Result<KeyedStep> key_of(ImageBuild& build, const plan::StagePlan& stage, const plan::Step& step,
                         const StageState& state, std::stop_token stop);

/// A COPY or ADD with all its files on this host; `staging` takes heredocs.
Result<sandbox::CopyFiles> copy_files_of(ImageBuild& build, const plan::CopyStep& copy, const Versions& versions,
                                         store::Staging& staging, std::stop_token stop);

} // namespace sheaf::builder
