// SPDX-License-Identifier: Apache-2.0
#include "builder/image_builder.hpp"

#include "builder/ready_queue.hpp"
#include "builder/stage_runner.hpp"

#include <algorithm>
#include <ctime>

namespace sheaf::builder {
namespace {

std::vector<std::vector<std::size_t>> needs_of(const plan::ImagePlan& plan) {
  std::vector<std::vector<std::size_t>> needs;
  for (const auto& stage : plan.stages) {
    needs.push_back(stage.needs);
  }
  return needs;
}

/// A stop makes others fail, too: the error that was the reason goes first.
std::optional<Error> first_error(const std::vector<std::optional<Error>>& errors) {
  const auto is_reason = [](const auto& error) { return error && error->code() != ErrorCode::cancelled; };
  auto found = std::ranges::find_if(errors, is_reason);
  if (found == errors.end()) {
    found = std::ranges::find_if(errors, [](const auto& error) { return error.has_value(); });
  }
  return found == errors.end() ? std::nullopt : *found;
}

} // namespace

Result<BuiltImage> build_image(const plan::ImagePlan& plan, const ImageInputs& inputs, store::Store& store,
                               sandbox::Runtime& runtime, EventSink& events, std::stop_token stop) {
  StageResults results(plan.stages.size()); // a worker writes its own place; others read it when the queue says so
  std::vector<std::optional<Error>> errors(plan.stages.size());
  ImageSources sources(inputs, store, results);
  SHEAF_TRY_ASSIGN(auto caches, store.folder("cache/mounts"));
  ImageBuild build{plan, inputs, store, runtime, events, sources, CacheMounts(std::move(caches)), {}};
  std::stop_source ending; // when the caller wants it, or when a stage has failed: the others are for nothing
  const std::stop_callback pass_on(stop, [&] { ending.request_stop(); });
  ReadyQueue(needs_of(plan)).run(std::max(1U, inputs.jobs), [&](std::size_t i) {
    auto result = run_stage(build, plan.stages[i], ending.get_token());
    if (!result) {
      errors[i] = std::move(result).error();
      ending.request_stop();
      return ReadyQueue::Ended::badly;
    }
    results[i] = std::move(*result);
    return ReadyQueue::Ended::well;
  });
  ignore(sources.save(), "remembering the digests of a context");
  if (auto error = first_error(errors)) {
    return std::move(*error);
  }
  BuiltImage built;
  built.record.image = plan.stages[plan.target].image;
  built.record.trees = results[plan.target]->trees();
  built.record.created = inputs.epoch.value_or(std::time(nullptr));
  built.steps_run = build.steps_run;
  built.steps_reused = build.steps_reused;
  return built;
}

} // namespace sheaf::builder
