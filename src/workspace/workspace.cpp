// SPDX-License-Identifier: Apache-2.0
#include "workspace/workspace.hpp"

#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace sheaf::workspace {
namespace {

/// Real root mounts the project so that `dev` owns the owner's files; for an ordinary user the user namespace does.
bool needs_owner_mapping(const std::string& path) {
  struct stat info {};
  return os::in_initial_user_namespace() && ::stat(path.c_str(), &info) == 0 && info.st_uid != os::k_caller_id;
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
  // The project first: the user's own mounts may lie within it.
  spec.binds = {{request.project, k_project_path, sandbox::Access::read_write, true}};
  spec.binds.insert(spec.binds.end(), request.binds.begin(), request.binds.end());
  for (auto& bind : spec.binds) {
    bind.owned_by_dev = bind.owned_by_dev && owners == Owners::mapped && needs_owner_mapping(bind.source);
  }
  sandbox::RunCommand command;
  command.argv = request.argv;
  command.directory = request.directory;
  command.user = request.user;
  command.interactive = true;
  for (const auto& [name, value] : request.environment) {
    command.environment.push_back(fmt::format("{}={}", name, value));
  }
  spec.action = std::vector{std::move(command)};
  return spec;
}

} // namespace

Result<os::ExitStatus> run(const RunRequest& request, sandbox::Runtime& runtime, EventSink& events,
                           std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto spec, spec_for(request, Owners::mapped));
  const auto outcome = runtime.run(spec, {0, 1, 2}, stop, {});
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
  SHEAF_TRY_ASSIGN(const auto again, runtime.run(spec, {0, 1, 2}, stop, {}));
  return again.status;
}

} // namespace sheaf::workspace
