// SPDX-License-Identifier: Apache-2.0
#include "app/run_image.hpp"

#include "app/image_bases.hpp"
#include "builder/support_files.hpp"
#include "os/file.hpp"
#include "sandbox/runtime.hpp"
#include "workspace/workspace.hpp"

#include <fmt/format.h>

namespace sheaf::app {
namespace {

Result<std::vector<std::string>> command_of(const oci::ImageConfig& config, const std::string& name,
                                            const std::vector<std::string>& arguments) {
  auto argv = config.entrypoint.value_or(std::vector<std::string>());
  const auto& rest = arguments.empty() ? config.command.value_or(std::vector<std::string>()) : arguments;
  argv.insert(argv.end(), rest.begin(), rest.end());
  if (argv.empty()) {
    return Error(ErrorCode::invalid, fmt::format("the image '{}' says nothing of what to run", name))
        .with_hint(fmt::format("give a command: sheaf up --image {} -- COMMAND", name));
  }
  return argv;
}

} // namespace

Result<os::ExitStatus> run_image(const std::string& name, const std::vector<std::string>& arguments,
                                 const Session& session) {
  SHEAF_TRY_ASSIGN(const auto record, find_image(name, Pull::missing, session));
  const auto& config = record.image.config;
  workspace::RunRequest request;
  SHEAF_TRY_ASSIGN(request.argv, command_of(config, name, arguments));
  SHEAF_TRY_ASSIGN(auto staging, session.store.stage());
  SHEAF_TRY_ASSIGN(request.lowers, session.store.trees_of(record));
  if (request.lowers.empty()) {
    SHEAF_TRY_ASSIGN(auto empty, staging.fresh_directory("empty-"));
    request.lowers.push_back(std::move(empty));
  }
  request.scratch = staging.path();
  request.hostname = "sheaf";
  request.user = config.user;
  request.directory = config.directory.empty() ? "/" : config.directory;
  SHEAF_TRY_ASSIGN(const auto support, builder::prepare_support(staging.file("run"), request.hostname));
  request.binds = support.binds;
  request.environment = support.environment;
  for (const auto& [variable, value] : config.environment) {
    request.environment[variable] = value;
  }
  if (const auto term = os::environment("TERM")) {
    request.environment.try_emplace("TERM", *term);
  }
  const auto runtime = sandbox::native_runtime();
  return workspace::run(request, *runtime, session.events, session.stop);
}

} // namespace sheaf::app
