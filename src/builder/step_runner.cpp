// SPDX-License-Identifier: Apache-2.0
#include "builder/step_runner.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

namespace sheaf::builder {
namespace {

sandbox::RunCommand command_of(const plan::RunStep& step, const Workbench& bench) {
  auto environment = bench.support.environment;
  for (const auto& [name, value] : step.environment) {
    environment[name] = value;
  }
  // The account commands come first, whatever the layer makes of PATH.
  environment["PATH"] = fmt::format("{}/bin:{}", k_support_path, environment["PATH"]);
  environment["SOURCE_DATE_EPOCH"] = std::to_string(bench.epoch);
  sandbox::RunCommand command;
  command.argv = step.argv;
  command.directory = step.directory;
  command.user = step.user;
  for (const auto& [name, value] : environment) {
    command.environment.push_back(fmt::format("{}={}", name, value));
  }
  return command;
}

/// The layer's own files, laid out for COPY. Modes of embedded files carry no meaning: scripts are executable.
Result<std::string> write_context(const plan::LayerPlan& plan, store::Staging& staging) {
  const auto folder = staging.file("context");
  SHEAF_TRY(os::make_directories(folder));
  for (const auto& [path, content] : plan.files) {
    const auto target = folder + "/" + path;
    SHEAF_TRY(os::make_directories(target.substr(0, target.rfind('/'))));
    SHEAF_TRY(os::write_file(target, content, os::Durable::no, content.starts_with("#!") ? 0755 : 0644));
  }
  return folder;
}

Result<sandbox::SandboxSpec> spec_for(const plan::Step& step, const plan::LayerPlan& plan, const Workbench& bench) {
  sandbox::SandboxSpec spec;
  spec.lowers = bench.lowers;
  spec.upper = bench.upper;
  spec.is_volatile = true;
  spec.hostname = "sheaf-build";
  SHEAF_TRY_ASSIGN(spec.work, bench.staging.fresh_directory("work-"));
  SHEAF_TRY_ASSIGN(spec.mount_point, bench.staging.fresh_directory("root-"));
  if (const auto* run = std::get_if<plan::RunStep>(&step.action)) {
    spec.binds = bench.support.binds;
    spec.overlays = bench.caches;
    for (auto& cache : spec.overlays) {
      SHEAF_TRY_ASSIGN(cache.work, bench.staging.fresh_directory("cache-work-"));
    }
    spec.action = command_of(*run, bench);
  } else if (const auto* copy = std::get_if<plan::CopyStep>(&step.action)) {
    SHEAF_TRY_ASSIGN(const auto context, write_context(plan, bench.staging));
    spec.action = sandbox::CopyFiles{context, copy->sources, copy->destination, copy->owner, copy->mode, bench.epoch};
  } else {
    spec.action = sandbox::MakeDirectory{std::get<plan::MakeDirectoryStep>(step.action).path};
  }
  return spec;
}

Error step_failed(const os::ExitStatus& status, BuildLog& log) {
  log.finish();
  auto details = log.tail();
  details += fmt::format("{}  the whole log: {}", details.empty() ? "" : "\n", log.path());
  return Error(ErrorCode::failed_step, fmt::format("failed with {}", status.to_string())).with_details(details);
}

} // namespace

Result<void> run_steps(const plan::LayerPlan& plan, const Workbench& bench, sandbox::Runtime& runtime, BuildLog& log,
                       EventSink& events, std::stop_token stop) {
  std::uint64_t number = 0;
  for (const auto& step : plan.steps) {
    ++number;
    const auto doing = fmt::format("step {} of {} ({})", number, plan.steps.size(), step.display);
    events.emit({EventKind::step, "layer " + plan.name, step.display, number, plan.steps.size()});
    log.note(fmt::format("--- {}", doing));
    SHEAF_TRY_ASSIGN(const auto spec, spec_for(step, plan, bench).context(doing));
    SHEAF_TRY_ASSIGN(const auto status,
                     runtime.run(spec, {-1, log.output(), log.output()}, stop).context(doing));
    if (!status.ok()) {
      return step_failed(status, log).with_context(doing);
    }
  }
  return {};
}

} // namespace sheaf::builder
