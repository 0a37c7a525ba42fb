// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a command in a composed environment with the project at /workspace. What the command writes elsewhere is private
// to the run and discarded at its end (docs/decisions/0004-runs-are-ephemeral.md); mounts and credentials stay.

#include "base/event.hpp"
#include "base/result.hpp"
#include "os/child.hpp"
#include "sandbox/runtime.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::workspace {

/// Where the project appears inside.
inline constexpr const char* k_project_path = "/workspace";

struct RunRequest {
  /// Bottom first.
  std::vector<std::string> lowers;
  /// An empty directory of the store for what the run writes; removed by its owner.
  std::string scratch;
  /// Absolute; empty: none is mounted.
  std::string project;
  /// Complete environment of the command but for what depends on the user (HOME and the like).
  std::map<std::string, std::string> environment;
  std::string user;
  std::string directory;
  std::vector<std::string> argv;
  /// Further mounts: support files, credentials, the user's own.
  std::vector<sandbox::BindMount> binds;
  std::string hostname;
  /// Paths of the identity rules by which the layers lost something (see first_start.hpp).
  std::vector<std::string> scrubbed;
  sandbox::Network network = sandbox::Network::host;
  /// This process's own; a command that has others gets a session of its own and no terminal.
  sandbox::Streams streams = {0, 1, 2};
};

/// Runs with the streams of the request and returns how the command ended.
Result<os::ExitStatus> run(const RunRequest& request, sandbox::Runtime& runtime, EventSink& events,
                           std::stop_token stop);

} // namespace sheaf::workspace
