// SPDX-License-Identifier: Apache-2.0
#include "app/shell_on_error.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace sheaf::app {
namespace {

/// The failed command with a shell in its place; nothing if the step ran no command.
std::optional<sandbox::RunCommand> shell_for(const sandbox::SandboxSpec& spec) {
  const auto* commands = std::get_if<std::vector<sandbox::RunCommand>>(&spec.action);
  if (commands == nullptr || commands->empty()) {
    return std::nullopt;
  }
  auto command = commands->back();
  command.title.clear();
  command.argv = {"/bin/sh"};
  command.interactive = true;
  return command;
}

Result<void> run_shell(sandbox::SandboxSpec spec, store::Store& store, sandbox::Runtime& runtime,
                       std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  // An overlay's work directory serves once (os::Overlay::is_volatile).
  SHEAF_TRY_ASSIGN(spec.work, staging.fresh_directory("work-"));
  SHEAF_TRY_ASSIGN(spec.mount_point, staging.fresh_directory("root-"));
  SHEAF_TRY(runtime.run(spec, {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, std::move(stop), {}));
  return {};
}

} // namespace

void open_shell(sandbox::SandboxSpec spec, store::Store& store, sandbox::Runtime& runtime, EventSink& events,
                std::stop_token stop) {
  auto command = shell_for(spec);
  if (!command) {
    return;
  }
  if (isatty(STDIN_FILENO) != 1) {
    events.emit({EventKind::warning, "", "--shell-on-error: standard input is no terminal, no shell is opened"});
    return;
  }
  events.emit({EventKind::note, "", "the step failed; this is a shell in its place (end it with 'exit')"});
  spec.action = std::vector{std::move(*command)};
  if (const auto done = run_shell(std::move(spec), store, runtime, std::move(stop)); !done) {
    events.emit({EventKind::warning, "", fmt::format("--shell-on-error: {}", done.error().summary())});
  }
}

} // namespace sheaf::app
