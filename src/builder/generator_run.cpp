// SPDX-License-Identifier: Apache-2.0
#include "builder/generator_run.hpp"

#include "builder/build_log.hpp"
#include "os/file.hpp"
#include "plan/layer_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>

namespace sheaf::builder {
namespace {

using Clock = std::chrono::steady_clock;

sandbox::RunCommand command_of(const generate::Generator& generator, std::int64_t epoch) {
  sandbox::RunCommand command;
  command.title = fmt::format("{}{}", k_step_mark, generator.name);
  command.argv = {"/bin/sh", "-ec", std::string(generator.script)};
  command.environment = {fmt::format("PATH={}", plan::k_default_path), "LC_ALL=C.UTF-8",
                         fmt::format("SOURCE_DATE_EPOCH={}", epoch), "PYTHONHASHSEED=0"};
  command.user = generator.user;
  return command;
}

/// When each command started, told from another thread.
class Clockwork {
public:
  void start() {
    const std::scoped_lock lock(m_mutex);
    m_starts.push_back(Clock::now());
  }
  /// How long command `index` took, if all ran to `end`.
  double milliseconds(std::size_t index, Clock::time_point end) {
    const std::scoped_lock lock(m_mutex);
    if (index >= m_starts.size()) {
      return 0;
    }
    const auto until = index + 1 < m_starts.size() ? m_starts[index + 1] : end;
    return std::chrono::duration<double, std::milli>(until - m_starts[index]).count();
  }

private:
  std::mutex m_mutex; ///< guards m_starts
  std::vector<Clock::time_point> m_starts;
};

class Run {
public:
  Run(const std::vector<GeneratorTask>& tasks, const GeneratorRoot& root, const GeneratorTools& tools)
      : m_tasks(tasks), m_root(root), m_tools(tools) {}

  Result<void> tools_into(const std::string& upper, std::stop_token stop) {
    SHEAF_TRY_ASSIGN(const auto spec, spec_for(upper));
    SHEAF_TRY_ASSIGN(const auto path,
                     m_tools.store.log_path(fmt::format("generated-{}.log", m_tasks.front().key.short_hex())));
    SHEAF_TRY_ASSIGN(const auto log, BuildLog::open(path, "generated files", m_tools.events));
    Clockwork clock;
    const auto outcome =
        m_tools.runtime.run(spec, {-1, log->output(), log->output()}, stop, [&](std::size_t) { clock.start(); });
    const auto end = Clock::now();
    log->finish();
    if (!outcome) {
      return Error(outcome.error()).with_context("making generated files");
    }
    if (!outcome->status.ok()) {
      return failed(m_tasks[outcome->started - 1], outcome->status, *log);
    }
    for (std::size_t i = 0; i < m_tasks.size(); ++i) {
      const auto& generator = *m_tasks[i].generator;
      m_tools.events.emit({EventKind::end, fmt::format("generated {}", generator.name), std::string(generator.reason),
                           0, 0, clock.milliseconds(i, end)});
    }
    return {};
  }

  Result<layer::Inventory> capture(const std::string& upper) {
    layer::CaptureOptions options;
    options.epoch = m_root.epoch;
    SHEAF_TRY_ASSIGN(auto captured, layer::capture(upper, m_root.view, options));
    return std::move(captured.inventory);
  }

  /// Moves the outputs of one generator into a folder of their own and that into the store.
  Result<void> keep(const GeneratorTask& task, const layer::Inventory& all, const std::string& upper) {
    SHEAF_TRY_ASSIGN(const auto folder, m_tools.staging.fresh_directory("generated-"));
    SHEAF_TRY(os::make_directories(folder + "/tree"));
    layer::Inventory made;
    for (const auto& entry : all.entries) {
      const auto target = entry.type == layer::EntryType::symlink ? std::optional(entry.target) : std::nullopt;
      if (!is_output(*task.generator, entry.path, target)) {
        continue;
      }
      const auto place = folder + "/tree/" + entry.path;
      SHEAF_TRY(os::make_directories(place.substr(0, place.rfind('/'))));
      SHEAF_TRY(entry.type == layer::EntryType::directory ? os::make_directories(place)
                                                          : os::rename(upper + "/" + entry.path, place));
      made.entries.push_back(entry);
    }
    SHEAF_TRY(os::write_file(folder + "/inventory", layer::serialise(made)));
    SHEAF_TRY(m_tools.store.commit_generated(folder, task.key));
    return {};
  }

private:
  Result<sandbox::SandboxSpec> spec_for(const std::string& upper) {
    sandbox::SandboxSpec spec;
    spec.lowers = m_root.lowers;
    spec.upper = upper;
    spec.is_volatile = true;
    spec.hostname = "sheaf-build";
    spec.network = sandbox::Network::none;
    SHEAF_TRY_ASSIGN(spec.work, m_tools.staging.fresh_directory("work-"));
    SHEAF_TRY_ASSIGN(spec.mount_point, m_tools.staging.fresh_directory("root-"));
    std::vector<sandbox::RunCommand> commands;
    for (const auto& task : m_tasks) {
      commands.push_back(command_of(*task.generator, m_root.epoch));
    }
    spec.action = std::move(commands);
    return spec;
  }

  static Error failed(const GeneratorTask& task, const os::ExitStatus& status, BuildLog& log) {
    auto details = log.tail();
    details += fmt::format("{}  the whole log: {}", details.empty() ? "" : "\n", log.path());
    return Error(ErrorCode::failed_step, fmt::format("failed with {}", status.to_string()))
        .with_details(details)
        .with_context(fmt::format("making the files of '{}' ({})", task.generator->name, task.generator->script));
  }

  const std::vector<GeneratorTask>& m_tasks;
  const GeneratorRoot& m_root;
  const GeneratorTools& m_tools;
};

} // namespace

Result<void> run_generators(const std::vector<GeneratorTask>& tasks, const GeneratorRoot& root,
                            const GeneratorTools& tools, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto upper, tools.staging.fresh_directory("outputs-"));
  Run run(tasks, root, tools);
  SHEAF_TRY(run.tools_into(upper, stop));
  SHEAF_TRY_ASSIGN(const auto all, run.capture(upper).context("capturing generated files"));
  for (const auto& task : tasks) {
    SHEAF_TRY(run.keep(task, all, upper));
  }
  return {};
}

} // namespace sheaf::builder
