// SPDX-License-Identifier: Apache-2.0
#include "builder/image_builder.hpp"

#include "builder/ready_queue.hpp"
#include "builder/stage_runner.hpp"
#include "builder/step_log.hpp"

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

/// What lasts over several ways through the stages.
struct Attempt {
  BorrowedSteps borrowed;
  StepLog log;
};

/// Carries out all stages that are needed, or ends all others when one has failed.
Result<void> run_stages(ImageBuild& build, StageResults& results, const std::stop_token& stop) {
  const auto& stages = build.plan.stages;
  std::vector<std::optional<Error>> errors(stages.size());
  std::stop_source ending; // when the caller wants it, or when a stage has failed: the others are for nothing
  const std::stop_callback pass_on(stop, [&] { ending.request_stop(); });
  ReadyQueue(needs_of(build.plan)).run(std::max(1U, build.inputs.jobs), [&](std::size_t i) {
    auto result = run_stage(build, stages[i], ending.get_token());
    if (!result) {
      errors[i] = std::move(result).error();
      ending.request_stop();
      return ReadyQueue::Ended::badly;
    }
    results[i] = std::move(*result);
    return ReadyQueue::Ended::well;
  });
  ignore(build.sources.save(), "remembering the digests of a context");
  auto error = first_error(errors);
  return error ? Result<void>(std::move(*error)) : Result<void>();
}

/// One way through all stages.
Result<BuiltImage> build_once(const plan::ImagePlan& plan, const ImageInputs& inputs, Attempt& attempt,
                              store::Store& store, sandbox::Runtime& runtime, EventSink& events,
                              const std::stop_token& stop) {
  auto& [borrowed, log] = attempt;
  StageResults results(plan.stages.size()); // a worker writes its own place; others read it when the queue says so
  ImageSources sources(inputs, store, results, borrowed);
  SHEAF_TRY_ASSIGN(auto caches, store.folder("cache/mounts"));
  ImageBuild build{plan, inputs, store, runtime, events, sources, borrowed, log, CacheMounts(std::move(caches)), {}};
  SHEAF_TRY(run_stages(build, results, stop));
  SHEAF_TRY(borrowed.need(results[plan.target]->trees()));
  BuiltImage built;
  built.record.image = plan.stages[plan.target].image;
  built.record.trees = results[plan.target]->trees();
  built.record.created = inputs.epoch.value_or(std::time(nullptr));
  built.steps_run = log.count_run();
  built.steps_reused = log.count_reused();
  built.steps_borrowed = borrowed.count();
  built.steps = log.steps();
  built.selections = sources.selections();
  return built;
}

} // namespace

Result<BuiltImage> build_image(const plan::ImagePlan& plan, const ImageInputs& inputs, store::Store& store,
                               sandbox::Runtime& runtime, EventSink& events, std::stop_token stop) {
  Attempt attempt{BorrowedSteps(inputs.step_cache, store), {}};
  for (;;) {
    auto built = build_once(plan, inputs, attempt, store, runtime, events, stop);
    if (built || !attempt.borrowed.is_broken() || stop.stop_requested()) {
      return built;
    }
    attempt.borrowed.begin_again(); // what could not be had is no longer offered, what was built since is in the store
    attempt.log.begin_again();
  }
}

} // namespace sheaf::builder
