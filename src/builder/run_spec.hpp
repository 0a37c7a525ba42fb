// SPDX-License-Identifier: Apache-2.0
#pragma once

// A RUN of a plan turned into what the sandbox carries out: the command with its environment, and its mounts. Used for
// layers and for images; where things are on the host comes from the caller.

#include "base/result.hpp"
#include "builder/agent_proxy.hpp"
#include "builder/cache_mounts.hpp"
#include "plan/step.hpp"
#include "sandbox/spec.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::builder {

/// What a RUN's mounts stand for. An empty function means that there is no such thing here: the mount is an error.
struct RunResources {
  /// The trees of a source, bottom first; none for an empty one. For a context: what its .dockerignore leaves.
  std::function<Result<std::vector<std::string>>(const plan::Source&)> lowers;
  /// The content; nothing if there is no secret of that id.
  std::function<Result<std::optional<std::string>>(const std::string& id)> secret;
  /// The path of an agent's socket; nothing if there is no agent of that id.
  std::function<std::optional<std::string>(const std::string& id)> ssh_agent;
  /// Waits for caches that are locked by others; empty: no cache mounts here (see CacheMounts::take). Asked once for
  /// each cache, in the order of their ids.
  std::function<Result<CacheDirectory>(const plan::CacheMount&)> cache;
  /// A new empty directory that the caller removes after the run, on a file system that can hold an overlay's upper.
  std::function<Result<std::string>(const std::string& prefix)> fresh_directory;
  /// Variables that the host lends (proxies, certificates); those of the step win.
  std::map<std::string, std::string> environment;
};

/// What has to live until the command has ended: locks of caches, the agents' sockets.
struct RunLease {
  std::vector<CacheDirectory> caches;
  std::vector<std::unique_ptr<AgentProxy>> agents;
};

/// Adds `step` to the commands and the mounts of `spec`, whose action must be a list of commands (the default). Mounts,
/// network and scripts are the whole sandbox's, so steps with any of them want a sandbox of their own (see
/// needs_own_sandbox). `not_found` for a required secret or agent that is not there, `unsupported` for a mount that
/// cannot be had here.
/// Source: Dockerfile reference, RUN --mount, --network, --security.
Result<RunLease> add_run(sandbox::SandboxSpec& spec, const plan::RunStep& step, const RunResources& resources);

/// Whether `step` may not share its sandbox with its neighbours.
bool needs_own_sandbox(const plan::RunStep& step);

} // namespace sheaf::builder
