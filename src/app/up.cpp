// SPDX-License-Identifier: Apache-2.0
#include "app/up.hpp"

#include "app/image_project.hpp"
#include "app/layer_states.hpp"
#include "app/lock.hpp"
#include "app/project_environment.hpp"
#include "app/refresh.hpp"
#include "base/text.hpp"
#include "builder/support_files.hpp"
#include "os/file.hpp"
#include "resolve/detection.hpp"
#include "sandbox/runtime.hpp"
#include "workspace/workspace.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <set>

namespace sheaf::app {
namespace {

constexpr const char* k_home = "/home/dev";

std::string expand_home(const std::string& path, const std::string& home) {
  return path.starts_with("~/") ? home + path.substr(1) : path;
}

std::string states(const std::vector<PlannedLayer>& lines) {
  std::vector<std::string> build;
  for (const auto& line : lines) {
    if (line.action != Action::reuse) {
      build.push_back(line.name);
    }
  }
  return build.empty() ? fmt::format("all {} layers are built", lines.size())
                       : fmt::format("{} of {} layers to build: {}", build.size(), lines.size(), joined(build, ", "));
}

void tell(const Wanted& wanted, const std::vector<PlannedLayer>& lines, EventSink& events) {
  for (const auto& finding : wanted.detection.findings) {
    const auto is_planned = [&](const PlannedLayer& line) { return line.name == finding.layer; };
    if (!finding.calls && std::ranges::none_of(lines, is_planned)) {
      continue; // the version of something that nobody asked for
    }
    events.emit({EventKind::note, "detect",
                 finding.version.empty()
                     ? fmt::format("{} because of {}", finding.layer, finding.file)
                     : fmt::format("{} {} because of {}", finding.layer, finding.version, resolve::place(finding))});
  }
  if (wanted.foundation.image) {
    events.emit({EventKind::note, "base", describe(wanted.foundation)});
    const auto& base = *wanted.stack.entries.front().layer;
    if (plan::is_plain(base, wanted.foundation)) {
      events.emit({EventKind::note, "base",
                   fmt::format("the layer '{}' has nothing for it; the image is used as it is", base.name)});
    }
  }
  for (const auto& line : lines) {
    events.emit({EventKind::note, "stack",
                 fmt::format("{:<10} {:<10} {:<7} {} ({})", line.name, line.kind, to_string(line.action), line.why,
                             line.reason)});
  }
  events.emit({EventKind::note, "plan", states(lines)});
}

std::vector<std::string> scrubbed_from(const std::vector<store::StoredLayer>& layers) {
  std::set<std::string> paths;
  for (const auto& layer : layers) {
    for (const auto& dropped : layer.record.dropped.value_or(std::vector<store::DroppedEntries>())) {
      if (dropped.kind == "identity") {
        paths.insert(dropped.path);
      }
    }
  }
  return {paths.begin(), paths.end()};
}

Inputs inputs_of(const Project& project, const Wanted& wanted, const Session& session) {
  auto files = project.inputs;
  std::ranges::copy(image_inputs(wanted.foundation, session), std::back_inserter(files));
  std::ranges::copy(wanted.own_inputs, std::back_inserter(files));
  std::ranges::copy(wanted.dotfiles.inputs, std::back_inserter(files));
  files.push_back(pins_path(session.store.root()));
  files.emplace_back("/proc/self/exe"); // another program knows another catalogue
  return {take_fingerprints(files), resolve::detection_rules(project.catalogue), wanted.detection};
}

Result<std::vector<sandbox::BindMount>> user_mounts(const Environment& environment, const std::string& home) {
  std::vector<sandbox::BindMount> binds;
  for (const auto& path : environment.credentials) {
    const auto source = expand_home(path, home);
    if (os::exists(source)) {
      binds.push_back({source, expand_home(path, k_home), sandbox::Access::read_write, true});
    }
  }
  for (const auto& mount : environment.mounts) {
    const auto parts = split(mount, ':');
    auto source = expand_home(std::string(parts[0]), home);
    if (!source.starts_with('/')) {
      source.insert(0, environment.project + "/");
    }
    SHEAF_TRY_ASSIGN(source, os::real_path(source).context(fmt::format("mounting '{}'", mount)));
    if (environment.mounts_stay_in_project && !(source + "/").starts_with(environment.project + "/")) {
      return Error(ErrorCode::denied, fmt::format("sheaf.yml mounts '{}', which lies outside of the project", source))
          .with_hint(fmt::format("a project may not reach for other files; say it in '{}/config.yml' if you want it",
                                 user_config_folder()));
    }
    const bool read_only = parts.size() > 2 && parts[2] == "ro";
    binds.push_back(
        {source, std::string(parts.at(1)), read_only ? sandbox::Access::read_only : sandbox::Access::read_write, true});
  }
  return binds;
}

std::vector<std::string> command_of(const Environment& environment) {
  auto argv = environment.config.entrypoint;
  argv.insert(argv.end(), environment.config.command.begin(), environment.config.command.end());
  return argv.empty() ? std::vector<std::string>{"/bin/bash"} : argv;
}

std::string host_name(const std::string& project) {
  std::string name;
  for (const char c : project.substr(0, 60)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain ? c : '-';
  }
  return name.empty() ? "sheaf" : name;
}

/// What runs inside may write to the project; the store, which decides what is mounted, must not be part of it.
Result<void> check_store_place(const std::string& project, const std::string& store_root) {
  SHEAF_TRY_ASSIGN(const auto store, os::real_path(store_root));
  if ((store + "/").starts_with(project == "/" ? project : project + "/")) {
    return Error(ErrorCode::invalid, fmt::format("the store '{}' lies within the project '{}'", store, project))
        .with_hint("run sheaf in a folder of its own, or choose another store with --root or SHEAF_ROOT");
  }
  return {};
}

} // namespace

void warn_unused(const Project& project, EventSink& events) {
  const auto& config = project.config;
  const auto warn = [&](bool is_set, const std::string& key) {
    if (is_set) {
      const auto origin = config.origins.find(key);
      events.emit({EventKind::warning, "",
                   fmt::format("{}: '{}' has no effect yet in this version",
                               origin != config.origins.end() ? origin->second : "settings", key)});
    }
  };
  for (const auto& cache : project.suggested_caches) {
    const auto& named = config.caches.value_or(std::vector<std::string>());
    if (std::ranges::find(named, cache) == named.end()) {
      events.emit(
          {EventKind::warning, "",
           fmt::format("sheaf.yml names the cache '{0}', which is not used: what it holds would count for other "
                       "projects, too; if you trust it, write 'caches: [{0}]' into '{1}/config.yml'",
                       cache, user_config_folder())});
    }
  }
  warn(config.ports.has_value(), "ports");
  warn(config.gpus.has_value(), "gpus");
}

namespace {

/// Volatile layers that are too old are built anew first; where that fails they are used as they are.
Result<Wanted> want_fresh(const Choices& choices, const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(auto wanted, want(project, session));
  if (!catalogue::refresh_seconds(project.config)) {
    return wanted;
  }
  SHEAF_TRY_ASSIGN(const auto lines, examine(wanted, project, session));
  RefreshRequest request;
  for (const auto& line : lines) {
    if (line.state == LayerState::expired) {
      request.layers.push_back(line.name);
    }
  }
  if (request.layers.empty()) {
    return wanted;
  }
  const auto refreshed = refresh(choices, request, session);
  if (!refreshed) {
    session.events.emit({EventKind::warning, "",
                         fmt::format("{} too old, but cannot be built anew: {}", joined(request.layers, ", "),
                                     refreshed.error().summary())});
    return wanted;
  }
  for (const auto& one : *refreshed) {
    session.events.emit({EventKind::note, "refresh", describe(one)});
  }
  return want(project, session);
}

/// When the first volatile layer becomes too old; one that is so already is tried again in an hour.
std::int64_t expiry_of(const Wanted& wanted, const Project& project, const BuiltStack& stack) {
  constexpr std::int64_t k_pause = 3600;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    const auto expiry = expiry_of(*wanted.stack.entries[i].layer, stack.layers[i].record, wanted, project);
    if (expiry && (first == 0 || *expiry < first)) {
      first = *expiry;
    }
  }
  return first == 0 ? 0 : std::max(first, std::time(nullptr) + k_pause);
}

} // namespace

Result<Environment> make_ready(const Choices& choices, Session session) {
  SHEAF_TRY_ASSIGN(const auto project, load_project(choices));
  SHEAF_TRY(check_store_place(project.root, session.store.root()));
  if (project.config.image && project.locked) {
    return Error(ErrorCode::invalid, "sheaf.lock holds layers, and this project uses an image as it is")
        .with_hint("name the image with its digest, and leave '--locked' out");
  }
  if (project.config.image) {
    return image_environment(project, session);
  }
  SHEAF_TRY_ASSIGN(const auto wanted, want_fresh(choices, project, session));
  SHEAF_TRY(project.locked ? check_locked(project, wanted) : Result<void>());
  // Before the build: a file that changes while we build must be seen as changed next time.
  auto inputs = inputs_of(project, wanted, session);
  warn_unused(project, session.events);
  if (!wanted.warnings.empty()) {
    session.events.emit({EventKind::warning, "", wanted.warnings});
  }
  for (const auto& warning : version_warnings(wanted.detection, wanted.versions)) {
    session.events.emit({EventKind::warning, "", warning});
  }
  SHEAF_TRY_ASSIGN(const auto lines, examine(wanted, project, session));
  tell(wanted, lines, session.events);
  SHEAF_TRY_ASSIGN(const auto stack,
                   build_stack(project, wanted, session, choices.strict ? OnConflict::refuse : OnConflict::rebuild));
  auto environment = environment_of(project, wanted, stack);
  environment.in_use = session.store.in_use();
  inputs.expires = expiry_of(wanted, project, stack);
  SHEAF_TRY(session.store.folder("plans"));
  SHEAF_TRY(save(saved_path(session.store.root(), project.root, choices), environment, inputs));
  return environment;
}

Result<Environment> make_agents_ready(const Choices& choices, const std::vector<std::string>& agents,
                                      const Session& session) {
  SHEAF_TRY_ASSIGN(auto project, load_project(choices));
  project.config.env.clear();
  project.config.repo.reset();
  project.config.branch.reset();
  project.config.mounts.reset();
  SHEAF_TRY_ASSIGN(const auto wanted, want_layers(project, agents, session));
  SHEAF_TRY_ASSIGN(const auto stack,
                   build_stack(project, wanted, session, choices.strict ? OnConflict::refuse : OnConflict::rebuild));
  return environment_of(project, wanted, stack);
}

Environment environment_of(const Project& project, const Wanted& wanted, const BuiltStack& stack) {
  Environment environment;
  environment.base_image = wanted.foundation.image ? wanted.foundation.image->name : "";
  environment.project = project.root;
  environment.project_name = project.name;
  environment.lowers = stack.composition.lowers;
  environment.mounts = project.config.mounts.value_or(std::vector<std::string>());
  const auto said = project.config.origins.find("mounts");
  environment.mounts_stay_in_project = said != project.config.origins.end() && said->second.starts_with("sheaf.yml");
  std::vector<const ConfigDelta*> deltas;
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    const auto& record = stack.layers[i].record;
    environment.stack.push_back({record.name, record.kind, stack.plans[i].reason, record.bytes,
                                 record.content_key.to_string(), stack.plans[i].closure});
    // From the plan, not the record: a layer found by content may have been built by a recipe with another reason.
    deltas.push_back(&stack.plans[i].config);
    const auto* definition = project.catalogue.find(record.name);
    // A layer of the project itself has no say in what of the user's home is shown.
    if (definition != nullptr && definition->origin != catalogue::Origin::project) {
      environment.credentials.insert(environment.credentials.end(), definition->credentials.begin(),
                                     definition->credentials.end());
    }
  }
  environment.scrubbed = scrubbed_from(stack.layers);
  environment.config = plan::compose_config(deltas);
  for (const auto& [name, value] : project_environment(project.config)) {
    environment.config.environment[name] = value;
  }
  return environment;
}

Result<workspace::RunRequest> prepare_run(const Environment& environment, const store::Staging& staging) {
  workspace::RunRequest request;
  request.lowers = environment.lowers;
  request.scratch = staging.path();
  request.user = environment.config.user;
  const auto& directory = environment.config.directory;
  request.directory = environment.stack.empty() && !directory.empty() ? directory : workspace::k_project_path;
  request.hostname = host_name(environment.project_name);
  SHEAF_TRY_ASSIGN(auto support, builder::prepare_support(staging.file("run"), request.hostname));
  request.environment = std::move(support.environment);
  for (const auto& [name, value] : environment.config.environment) {
    request.environment[name] = value;
  }
  request.scrubbed = environment.scrubbed;
  request.binds = std::move(support.binds);
  return request;
}

Result<os::ExitStatus> run_in(const Environment& environment, std::vector<std::string> argv,
                              const std::string& store_root, EventSink& events, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto staging, store::Staging::create(store_root + "/tmp"));
  SHEAF_TRY_ASSIGN(auto request, prepare_run(environment, staging));
  request.project = environment.project;
  request.argv = argv.empty() ? command_of(environment) : std::move(argv);
  if (const auto term = os::environment("TERM")) {
    request.environment["TERM"] = *term;
  }
  SHEAF_TRY_ASSIGN(const auto mounts, user_mounts(environment, os::home_directory()));
  request.binds.insert(request.binds.end(), mounts.begin(), mounts.end());
  const auto runtime = sandbox::native_runtime();
  return workspace::run(request, *runtime, events, stop);
}

} // namespace sheaf::app
