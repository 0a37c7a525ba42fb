// SPDX-License-Identifier: Apache-2.0
#pragma once

// The use cases around one environment: make it ready (build what is missing, join), and run a command in it.

#include "app/build_stack.hpp"
#include "app/environment.hpp"
#include "os/child.hpp"
#include "workspace/workspace.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::app {

/// Builds what is missing, joins, and remembers the result. Emits what was found, the stack and its states first.
Result<Environment> make_ready(const Choices& choices, Session session);

/// The environment of the base and these agents alone, with what they need and without the project's settings: what
/// all projects with the same agents share. Their layers are those of the project's stack; they are only joined anew.
Result<Environment> make_agents_ready(const Choices& choices, const std::vector<std::string>& agents,
                                      const Session& session);

/// What a stack that was built is as an environment of its project.
Environment environment_of(const Project& project, const Wanted& wanted, const BuiltStack& stack);

/// How `environment` is run: its trees, variables, user and host name, with a private place below `staging` for what is
/// written. Without a command, the project and what is mounted from the user's files.
Result<workspace::RunRequest> prepare_run(const Environment& environment, const store::Staging& staging);

/// Settings that are understood but not carried out yet must not pass in silence.
void warn_unused(const Project& project, EventSink& events);

/// Runs `argv` (the environment's own command if empty) with the caller's terminal. `store_root` gives it a scratch
/// directory.
Result<os::ExitStatus> run_in(const Environment& environment, std::vector<std::string> argv,
                              const std::string& store_root, EventSink& events, std::stop_token stop);

} // namespace sheaf::app
