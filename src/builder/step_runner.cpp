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
    const auto target = fmt::format("{}/{}", folder, path);
    SHEAF_TRY(os::make_directories(target.substr(0, target.rfind('/'))));
    SHEAF_TRY(os::write_file(target, content, os::Durable::no, content.starts_with("#!") ? 0755 : 0644));
  }
  return folder;
}

/// Steps that run in one sandbox: neighbouring RUNs together, anything else alone.
struct Batch {
  std::size_t first = 0;
  std::size_t count = 0;
};

enum class Together { no, yes };

std::vector<Batch> batches_of(const std::vector<plan::Step>& steps, Together together) {
  const auto is_run = [&](std::size_t i) { return std::holds_alternative<plan::RunStep>(steps[i].action); };
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (together == Together::yes && i > 0 && is_run(i) && is_run(i - 1)) {
      ++batches.back().count;
    } else {
      batches.push_back({i, 1});
    }
  }
  return batches;
}

class StepRunner {
public:
  StepRunner(const plan::LayerPlan& plan, const Workbench& bench, sandbox::Runtime& runtime, BuildLog& log,
             EventSink& events)
      : m_plan(plan), m_bench(bench), m_runtime(runtime), m_log(log), m_events(events) {}

  Result<void> run(const Batch& batch, std::stop_token stop) {
    SHEAF_TRY_ASSIGN(const auto spec, spec_for(batch).context(doing(batch.first)));
    const bool runs = std::holds_alternative<plan::RunStep>(m_plan.steps[batch.first].action);
    if (!runs) {
      tell(batch.first);
      m_log.note(title(batch.first));
    }
    const auto outcome = m_runtime.run(spec, {-1, m_log.output(), m_log.output()}, stop,
                                       [&](std::size_t index) { tell(batch.first + index); });
    if (!outcome) {
      return Error(outcome.error()).with_context(doing(batch.first));
    }
    if (!outcome->status.ok()) {
      return failed(outcome->status).with_context(doing(batch.first + outcome->started - 1));
    }
    return {};
  }

private:
  std::string doing(std::size_t index) const {
    return fmt::format("step {} of {} ({})", index + 1, m_plan.steps.size(), m_plan.steps[index].display);
  }
  std::string title(std::size_t index) const { return std::string(k_step_mark) + doing(index); }

  void tell(std::size_t index) {
    m_events.emit(
        {EventKind::step, "layer " + m_plan.name, m_plan.steps[index].display, index + 1, m_plan.steps.size()});
  }

  Error failed(const os::ExitStatus& status) {
    m_log.finish();
    auto details = m_log.tail();
    details += fmt::format("{}  the whole log: {}", details.empty() ? "" : "\n", m_log.path());
    return Error(ErrorCode::failed_step, fmt::format("failed with {}", status.to_string())).with_details(details);
  }

  Result<sandbox::SandboxSpec> spec_for(const Batch& batch) {
    sandbox::SandboxSpec spec;
    spec.lowers = m_bench.lowers;
    spec.upper = m_bench.upper;
    spec.is_volatile = true;
    spec.hostname = m_bench.trial != nullptr ? m_bench.trial->hostname : "sheaf-build";
    spec.processors = m_bench.trial != nullptr ? m_bench.trial->processors : std::nullopt;
    SHEAF_TRY_ASSIGN(spec.work, m_bench.staging.fresh_directory("work-"));
    SHEAF_TRY_ASSIGN(spec.mount_point, m_bench.staging.fresh_directory("root-"));
    const auto& action = m_plan.steps[batch.first].action;
    if (const auto* copy = std::get_if<plan::CopyStep>(&action)) {
      SHEAF_TRY_ASSIGN(spec.action, copy_files(*copy));
      return spec;
    }
    if (const auto* directory = std::get_if<plan::MakeDirectoryStep>(&action)) {
      spec.action = sandbox::MakeDirectory{directory->path, directory->user};
      return spec;
    }
    if (std::holds_alternative<plan::SnapshotStep>(action)) {
      return Error(ErrorCode::unsupported, "SNAPSHOT is not carried out in a layer yet");
    }
    SHEAF_TRY(add_commands(spec, batch));
    return spec;
  }

  Result<sandbox::CopyFiles> copy_files(const plan::CopyStep& copy) {
    SHEAF_TRY_ASSIGN(const auto context, write_context(m_plan, m_bench.staging));
    sandbox::CopyFiles files;
    files.tree = {context};
    for (const auto& source : copy.sources) {
      if (const auto* path = std::get_if<plan::PathSource>(&source)) {
        files.sources.push_back(path->path);
      } else if (const auto* inline_file = std::get_if<plan::InlineSource>(&source)) {
        SHEAF_TRY_ASSIGN(const auto folder, m_bench.staging.fresh_directory("inline-"));
        const auto file = folder + "/file";
        SHEAF_TRY(os::write_file(file, inline_file->content, os::Durable::no, 0644));
        files.files.push_back({file, inline_file->name, false, 0644});
      } else {
        return Error(ErrorCode::unsupported, "downloads are not carried out in a layer yet");
      }
    }
    files.excludes = copy.excludes;
    files.parents = copy.parents;
    files.destination = copy.destination;
    files.owner = copy.owner;
    files.mode = copy.mode;
    files.unpack_sources = copy.unpack != plan::Unpack::never;
    files.unpack_files = copy.unpack == plan::Unpack::always;
    files.epoch = m_bench.epoch;
    return files;
  }

  Result<void> add_commands(sandbox::SandboxSpec& spec, const Batch& batch) {
    spec.binds = m_bench.support.binds;
    spec.overlays = m_bench.caches;
    for (auto& cache : spec.overlays) {
      // Beside the upper, which may lie on another file system than the tree. A new one for every run: the mark that
      // a volatile mount leaves keeps the directory from being used again.
      cache.work = cache.upper + "-work";
      SHEAF_TRY(os::remove_all(cache.work));
      SHEAF_TRY(os::make_directories(cache.work));
    }
    std::vector<sandbox::RunCommand> commands;
    for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) {
      commands.push_back(command_of(std::get<plan::RunStep>(m_plan.steps[i].action), m_bench));
      commands.back().title = title(i);
    }
    spec.action = std::move(commands);
    return {};
  }

  const plan::LayerPlan& m_plan;
  const Workbench& m_bench;
  sandbox::Runtime& m_runtime;
  BuildLog& m_log;
  EventSink& m_events;
};

} // namespace

Result<void> run_steps(const plan::LayerPlan& plan, const Workbench& bench, sandbox::Runtime& runtime, BuildLog& log,
                       EventSink& events, std::stop_token stop) {
  StepRunner runner(plan, bench, runtime, log, events);
  const bool alone = bench.trial != nullptr && bench.trial->before_step;
  for (const auto& batch : batches_of(plan.steps, alone ? Together::no : Together::yes)) {
    if (alone) {
      bench.trial->before_step(batch.first);
    }
    SHEAF_TRY(runner.run(batch, stop));
  }
  return {};
}

} // namespace sheaf::builder
