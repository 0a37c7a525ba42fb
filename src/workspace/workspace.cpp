// SPDX-License-Identifier: Apache-2.0
#include "workspace/workspace.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"
#include "workspace/first_start.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace sheaf::workspace {
namespace {

/// Real root mounts the project so that `dev` owns the owner's files; for an ordinary user the user namespace does.
bool needs_owner_mapping(const std::string& path) {
  struct stat info {};
  return os::in_initial_user_namespace() && ::stat(path.c_str(), &info) == 0 && info.st_uid != os::k_caller_id;
}

std::vector<std::string> environment_of(const RunRequest& request) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : request.environment) {
    variables.push_back(fmt::format("{}={}", name, value));
  }
  return variables;
}

/// The command, after what gives this run an identity of its own.
std::vector<sandbox::RunCommand> commands_for(const RunRequest& request) {
  std::vector<sandbox::RunCommand> commands;
  if (const auto script = first_start_script(request.scrubbed); !script.empty()) {
    auto& first = commands.emplace_back();
    first.argv = {"/bin/sh", "-c", script};
    first.environment = environment_of(request);
    first.user = "root";
  }
  auto& command = commands.emplace_back();
  command.argv = request.argv;
  command.directory = request.directory;
  command.user = request.user;
  command.interactive = request.streams.input == 0;
  command.environment = environment_of(request);
  return commands;
}

enum class Owners { mapped, as_they_are };

Result<sandbox::SandboxSpec> spec_for(const RunRequest& request, Owners owners) {
  sandbox::SandboxSpec spec;
  spec.lowers = request.lowers;
  // A volatile overlay does not take its directories a second time.
  const auto folder_of = [&](const char* name) {
    return fmt::format("{}/{}{}", request.scratch, name, owners == Owners::mapped ? "" : "-again");
  };
  spec.upper = folder_of("upper");
  spec.work = folder_of("work");
  spec.mount_point = folder_of("root");
  for (const auto& folder : {spec.upper, spec.work, spec.mount_point}) {
    SHEAF_TRY(os::make_directories(folder));
  }
  spec.is_volatile = true; // nothing of it outlives the run
  spec.hostname = request.hostname;
  spec.network = request.network;
  // The project first: the user's own mounts may lie within it.
  if (!request.project.empty()) {
    spec.binds = {{request.project, k_project_path, sandbox::Access::read_write, true}};
  }
  spec.binds.insert(spec.binds.end(), request.binds.begin(), request.binds.end());
  for (auto& bind : spec.binds) {
    bind.owned_by_dev = bind.owned_by_dev && owners == Owners::mapped && needs_owner_mapping(bind.source);
  }
  SHEAF_TRY_ASSIGN(spec.files, first_start_files(request.scrubbed));
  spec.action = commands_for(request);
  return spec;
}

} // namespace

Result<os::ExitStatus> run(const RunRequest& request, sandbox::Runtime& runtime, EventSink& events,
                           std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto spec, spec_for(request, Owners::mapped));
  const auto outcome = runtime.run(spec, request.streams, stop, {});
  if (outcome) {
    return outcome->status;
  }
  if (outcome.error().code() != ErrorCode::unsupported) {
    return outcome.error();
  }
  events.emit({EventKind::warning, "",
               fmt::format("{}; the project keeps its owner inside, so 'dev' may not be able to write to it",
                           outcome.error().summary())});
  SHEAF_TRY_ASSIGN(spec, spec_for(request, Owners::as_they_are));
  SHEAF_TRY_ASSIGN(const auto again, runtime.run(spec, request.streams, stop, {}));
  return again.status;
}

} // namespace sheaf::workspace
