// SPDX-License-Identifier: Apache-2.0
#include "app/newest.hpp"

#include "app/up.hpp"
#include "base/printable.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sandbox/runtime.hpp"
#include "workspace/workspace.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>

namespace sheaf::app {
namespace {

/// All that a command prints is kept in a file of its own.
struct Printed {
  os::ExitStatus status;
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
  SHEAF_TRY_ASSIGN(const auto output, os::open(staging.file("output"), O_RDWR | O_CREAT));
  SHEAF_TRY_ASSIGN(const auto errors, os::open(staging.file("errors"), O_RDWR | O_CREAT));
  request.streams = {-1, output.get(), errors.get()};
  const auto runtime = sandbox::native_runtime();
  SHEAF_TRY_ASSIGN(const auto status, workspace::run(request, *runtime, session.events, session.stop));
  Printed printed{status, {}, {}};
  SHEAF_TRY_ASSIGN(printed.output, os::read_file(staging.file("output")));
  SHEAF_TRY_ASSIGN(printed.errors, os::read_file(staging.file("errors")));
  return printed;
}

bool is_version_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(".+-_~:").find(c) != std::string_view::npos;
}

} // namespace

Result<std::string> newest_version(const Project& project, const catalogue::LayerDefinition& layer,
                                   const Session& session) {
  constexpr std::size_t k_longest = 64;
  const auto doing = fmt::format("asking for the newest version of '{}' with '{}'", layer.name, layer.newest);
  SHEAF_TRY_ASSIGN(const auto printed, run_in_needs(project, layer, session).context(doing));
  if (!printed.status.ok()) {
    return Error(ErrorCode::failed_step, fmt::format("{}: it ended with {}", doing, printed.status.to_string()))
        .with_details(printed.errors);
  }
  const std::string version(trim(printed.output));
  const bool is_good =
      !version.empty() && version.size() <= k_longest && std::ranges::all_of(version, is_version_character);
  if (!is_good) {
    return Error(ErrorCode::invalid, fmt::format("{}: it printed '{}', which is no version", doing,
                                                 printable(version.substr(0, k_longest), Colours::dropped)));
  }
  return version;
}

} // namespace sheaf::app
