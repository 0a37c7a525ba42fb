// SPDX-License-Identifier: Apache-2.0
#include "builder/step_runner.hpp"

#include "builder/cache_mounts.hpp"
#include "builder/copy_spec.hpp"
#include "builder/run_spec.hpp"
#include "builder/snapshot.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

namespace sheaf::builder {
namespace {

/// What a layer's command sees besides its own words: the account commands come first, whatever the layer makes of
/// PATH.
void complete_environment(std::vector<std::string>& environment, const Workbench& bench) {
  std::map<std::string, std::string> variables;
  for (const auto& line : environment) {
    const auto equals = line.find('=');
    variables[line.substr(0, equals)] = line.substr(equals + 1);
  }
  variables["PATH"] = fmt::format("{}/bin:{}", k_support_path, variables["PATH"]);
  variables["SOURCE_DATE_EPOCH"] = std::to_string(bench.epoch);
  environment.clear();
  for (const auto& [name, value] : variables) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
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
  const auto shares = [&](std::size_t i) {
    const auto* run = std::get_if<plan::RunStep>(&steps[i].action);
    return run != nullptr && !needs_own_sandbox(*run);
  };
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (together == Together::yes && i > 0 && shares(i) && shares(i - 1)) {
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
    const auto& action = m_plan.steps[batch.first].action;
    if (!std::holds_alternative<plan::RunStep>(action)) {
      tell(batch.first);
      m_log.note(title(batch.first));
    }
    if (const auto* snapshot = std::get_if<plan::SnapshotStep>(&action)) {
      auto trees = m_bench.lowers;
      trees.push_back(m_bench.upper);
      return check_snapshot(*snapshot, trees).context(doing(batch.first));
    }
    SHEAF_TRY_ASSIGN(const auto prepared, prepare(batch, stop).context(doing(batch.first)));
    const auto outcome = m_runtime.run(prepared.spec, {-1, m_log.output(), m_log.output()}, stop,
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

  /// What one sandbox is to do, and what has to live until it has done it.
  struct Prepared {
    sandbox::SandboxSpec spec;
    std::vector<RunLease> leases;
  };

  Result<Prepared> prepare(const Batch& batch, const std::stop_token& stop) {
    Prepared prepared;
    auto& spec = prepared.spec;
    spec.lowers = m_bench.lowers;
    spec.upper = m_bench.upper;
    spec.is_volatile = true;
    spec.hostname = m_bench.trial != nullptr ? m_bench.trial->hostname : "sheaf-build";
    spec.processors = m_bench.trial != nullptr ? m_bench.trial->processors : std::nullopt;
    SHEAF_TRY_ASSIGN(spec.work, m_bench.staging.fresh_directory("work-"));
    SHEAF_TRY_ASSIGN(spec.mount_point, m_bench.staging.fresh_directory("root-"));
    const auto& action = m_plan.steps[batch.first].action;
    if (const auto* copy = std::get_if<plan::CopyStep>(&action)) {
      SHEAF_TRY_ASSIGN(spec.action, copy_files(*copy, stop));
    } else if (const auto* directory = std::get_if<plan::MakeDirectoryStep>(&action)) {
      spec.action = sandbox::MakeDirectory{directory->path, directory->user};
    } else {
      SHEAF_TRY(add_commands(prepared, batch, stop));
    }
    return prepared;
  }

  /// Written when the first step wants them.
  Result<std::string> own_files() {
    if (m_context.empty()) {
      SHEAF_TRY_ASSIGN(m_context, write_context(m_plan, m_bench.staging));
    }
    return m_context;
  }

  Result<sandbox::CopyFiles> copy_files(const plan::CopyStep& copy, const std::stop_token& stop) {
    Versions versions; // a layer names what it downloads, so that nobody has to be asked
    for (const auto& source : copy.sources) {
      const auto* http = std::get_if<plan::HttpSource>(&source);
      const auto* git = std::get_if<plan::GitSource>(&source);
      versions.push_back(http != nullptr  ? http->checksum
                         : git == nullptr ? std::string()
                                          : (git->checksum.empty() ? git->ref : git->checksum));
    }
    SHEAF_TRY_ASSIGN(auto files, copy_spec(copy, versions, m_bench.downloads, m_bench.store, m_bench.staging, stop));
    SHEAF_TRY_ASSIGN(auto context, own_files());
    files.tree = {std::move(context)};
    files.epoch = m_bench.epoch;
    return files;
  }

  RunResources resources(const std::stop_token& stop) {
    RunResources resources;
    resources.environment = m_bench.support.environment;
    resources.lowers = [this](const plan::Source& source) { return lowers_of(source); };
    resources.fresh_directory = [this](const std::string& prefix) { return m_bench.staging.fresh_directory(prefix); };
    resources.cache = [this, stop](const plan::CacheMount& mount) -> Result<CacheDirectory> {
      SHEAF_TRY_ASSIGN(auto folder, m_bench.store.folder("cache/mounts"));
      SHEAF_TRY_ASSIGN(const auto lowers, lowers_of(mount.from));
      // The key knows the files that a layer's steps read, so it names what the cache starts with.
      const auto start = lowers.empty() ? std::string() : m_plan.inputs.at("files");
      return CacheMounts(std::move(folder)).take(mount, lowers, start, stop);
    };
    return resources;
  }

  Result<std::vector<std::string>> lowers_of(const plan::Source& source) {
    if (source.kind == plan::Source::Kind::nothing) {
      return std::vector<std::string>();
    }
    SHEAF_TRY_ASSIGN(auto context, own_files());
    return std::vector<std::string>{std::move(context)};
  }

  Result<void> add_commands(Prepared& prepared, const Batch& batch, const std::stop_token& stop) {
    auto& spec = prepared.spec;
    spec.binds = m_bench.support.binds;
    spec.overlays = m_bench.caches;
    for (auto& cache : spec.overlays) {
      // Beside the upper, which may lie on another file system than the tree. A new one for every run: the mark that
      // a volatile mount leaves keeps the directory from being used again.
      cache.work = cache.upper + "-work";
      SHEAF_TRY(os::remove_all(cache.work));
      SHEAF_TRY(os::make_directories(cache.work));
    }
    for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) {
      SHEAF_TRY_ASSIGN(auto lease, add_run(spec, std::get<plan::RunStep>(m_plan.steps[i].action), resources(stop)));
      prepared.leases.push_back(std::move(lease));
      auto& command = std::get<std::vector<sandbox::RunCommand>>(spec.action).back();
      complete_environment(command.environment, m_bench);
      command.title = title(i);
    }
    return {};
  }

  const plan::LayerPlan& m_plan;
  const Workbench& m_bench;
  sandbox::Runtime& m_runtime;
  BuildLog& m_log;
  EventSink& m_events;
  std::string m_context; ///< the layer's own files; empty: not written yet
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
