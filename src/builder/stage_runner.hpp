// SPDX-License-Identifier: Apache-2.0
#pragma once

// Brings one stage to its end: each step is looked up by its key, and carried out in a sandbox of its own if it is new.

#include "builder/cache_mounts.hpp"
#include "builder/image_builder.hpp"
#include "builder/image_sources.hpp"
#include "builder/secret_scan.hpp"
#include "builder/stage_state.hpp"
#include "builder/step_log.hpp"

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace sheaf::builder {

/// What all stages of one build share. Safe from several threads.
struct ImageBuild {
  const plan::ImagePlan& plan;
  const ImageInputs& inputs;
  store::Store& store;
  sandbox::Runtime& runtime;
  EventSink& events;
  ImageSources& sources;
  BorrowedSteps& borrowed;
  StepLog& log;
  CacheMounts caches;
  SecretValues secrets;
};

/// `failed_step` names stage, step, instruction and exit code, and carries the last lines; steps before it are kept.
Result<StageState> run_stage(ImageBuild& build, const plan::StagePlan& stage, std::stop_token stop);

} // namespace sheaf::builder
