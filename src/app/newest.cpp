// SPDX-License-Identifier: Apache-2.0
#include "app/newest.hpp"

#include "app/deadline.hpp"
#include "app/test_output.hpp"
#include "app/up.hpp"
#include "base/printable.hpp"
#include "base/text.hpp"
#include "sandbox/runtime.hpp"
#include "workspace/workspace.hpp"

#include <fmt/format.h>

#include <chrono>

namespace sheaf::app {
namespace {

/// An upstream that does not answer must not hold everything up.
constexpr std::chrono::seconds k_limit{60};
constexpr std::size_t k_longest = 64;

struct Printed {
  os::ExitStatus status;
  /// The ends of what was printed.
  std::string output;
  std::string errors;
};

Result<Printed> run_in_needs(const Project& project, const catalogue::LayerDefinition& layer, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto wanted, want_layers(project, layer.needs, session));
  SHEAF_TRY_ASSIGN(const auto stack, build_stack(project, wanted, session, OnConflict::rebuild));
  const auto environment = environment_of(project, wanted, stack);
  SHEAF_TRY_ASSIGN(const auto staging, session.store.stage());
  SHEAF_TRY_ASSIGN(auto request, prepare_run(environment, staging));
  request.project.clear(); // the answer must not depend on it
  request.directory = "/";
  request.argv = {"/bin/sh", "-c", layer.newest};
  SHEAF_TRY_ASSIGN(const auto output, OutputReader::start(""));
  SHEAF_TRY_ASSIGN(const auto errors, OutputReader::start(""));
  request.streams = {-1, output->output(), errors->output()};
  const auto runtime = sandbox::native_runtime();
  const Deadline deadline(k_limit, session.stop);
  const auto status = workspace::run(request, *runtime, session.events, deadline.token());
  Printed printed{{}, output->finish().tail(), errors->finish().tail()};
  if (!status && status.error().code() == ErrorCode::cancelled && !session.stop.stop_requested()) {
    return Error(ErrorCode::failed_step, fmt::format("no answer in {} s", k_limit.count()))
        .with_details(printed.errors);
  }
  SHEAF_TRY_ASSIGN(printed.status, status);
  return printed;
}

} // namespace

Result<std::string> newest_version(const Project& project, const catalogue::LayerDefinition& layer,
                                   const Session& session) {
  const auto doing = fmt::format("asking for the newest version of '{}' with '{}'", layer.name, layer.newest);
  SHEAF_TRY_ASSIGN(const auto printed, run_in_needs(project, layer, session).context(doing));
  if (!printed.status.ok()) {
    return Error(ErrorCode::failed_step, fmt::format("{}: it ended with {}", doing, printed.status.to_string()))
        .with_details(printed.errors);
  }
  std::string version(trim(printed.output));
  const bool is_good = version.size() <= k_longest && version.find(':') == std::string::npos &&
                       !catalogue::arg_mistake(layer.args.at("version"), version);
  if (!is_good) {
    return Error(ErrorCode::invalid, fmt::format("{}: it printed '{}', which is no version", doing,
                                                 printable(version.substr(0, k_longest), Colours::dropped)));
  }
  return version;
}

} // namespace sheaf::app
