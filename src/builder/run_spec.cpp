// SPDX-License-Identifier: Apache-2.0
#include "builder/run_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace sheaf::builder {
namespace {

/// Where BuildKit shows heredocs that are scripts, secrets and agents.
constexpr const char* k_script_path = "/dev/pipes/EOF";
constexpr const char* k_agent_path = "/run/buildkit/ssh_agent";

Error not_here(const char* what) {
  return Error(ErrorCode::unsupported, fmt::format("{} cannot be mounted here", what))
      .with_hint("layers take bind, cache and tmpfs mounts; build an image for the others");
}

class Adder {
public:
  Adder(sandbox::SandboxSpec& spec, sandbox::RunCommand& command, RunLease& lease, const RunResources& resources)
      : m_spec(spec), m_command(command), m_lease(lease), m_resources(resources) {}

  Result<void> add(const plan::Mount& mount) {
    return std::visit([&](const auto& what) { return this->take(mount.target, what); }, mount.what)
        .context(mount.target.empty() ? "mounting a secret" : fmt::format("mounting at '{}'", mount.target));
  }

  /// Takes every cache once, whatever number of mounts shows it, and all of them in the order of their names: two
  /// commands that each wait for a cache that the other has would wait forever. Before any of them is added.
  Result<void> take_caches(const std::vector<plan::Mount>& mounts) {
    std::map<CacheName, plan::CacheMount> wanted;
    for (const auto& mount : mounts) {
      if (const auto* cache = std::get_if<plan::CacheMount>(&mount.what)) {
        auto& first = wanted.emplace(name_of(*cache), *cache).first->second;
        if (cache->sharing == plan::CacheMount::Sharing::locked) { // the strictest counts
          first.sharing = cache->sharing;
        }
      }
    }
    for (const auto& [name, cache] : wanted) {
      if (!m_resources.cache) {
        return not_here("a cache");
      }
      SHEAF_TRY_ASSIGN(auto directory, m_resources.cache(cache).context(fmt::format("taking cache '{}'", cache.id)));
      m_caches.emplace(name, directory.path);
      m_lease.caches.push_back(std::move(directory));
    }
    return {};
  }

private:
  /// What tells caches apart: the id, and what they start with.
  using CacheName = std::tuple<std::string, plan::Source::Kind, std::string, std::size_t, std::string>;
  static CacheName name_of(const plan::CacheMount& cache) {
    return {cache.id, cache.from.kind, cache.from.name, cache.from.stage, cache.path};
  }

  Result<void> take(const std::string& target, const plan::BindMountSource& bind) {
    if (!m_resources.lowers) {
      return not_here("files");
    }
    sandbox::TreeMount tree;
    tree.target = target;
    tree.path = bind.path;
    tree.owned_by_root =
        bind.from.kind == plan::Source::Kind::context || bind.from.kind == plan::Source::Kind::named_context;
    SHEAF_TRY_ASSIGN(tree.lowers, m_resources.lowers(bind.from));
    if (bind.writable && !tree.lowers.empty()) { // an empty tree is in memory and can be written to as it is
      SHEAF_TRY_ASSIGN(tree.upper, fresh_directory("bind-"));
      SHEAF_TRY_ASSIGN(tree.work, fresh_directory("bind-work-"));
    }
    if (bind.writable && tree.lowers.empty()) {
      m_spec.memory.push_back({target, std::nullopt});
      return {};
    }
    m_spec.trees.push_back(std::move(tree));
    return {};
  }

  Result<void> take(const std::string& target, const plan::CacheMount& cache) {
    m_spec.binds.push_back({m_caches.at(name_of(cache)), target,
                            cache.read_only ? sandbox::Access::read_only : sandbox::Access::read_write, false});
    return {};
  }

  Result<void> take(const std::string& target, const plan::TmpfsMount& memory) {
    m_spec.memory.push_back({target, memory.size});
    return {};
  }

  Result<void> take(const std::string& target, const plan::SecretMount& mount) {
    if (!m_resources.secret) {
      return not_here("a secret");
    }
    SHEAF_TRY_ASSIGN(const auto content, m_resources.secret(mount.id));
    if (!content) {
      return mount.required ? missing("secret", mount.id, fmt::format("--secret id={},src=FILE", mount.id))
                            : Result<void>();
    }
    if (!mount.environment.empty()) {
      m_command.environment.push_back(fmt::format("{}={}", mount.environment, *content));
    }
    // A secret that is a variable is a file only if a target was asked for.
    if (!target.empty() || mount.environment.empty()) {
      m_spec.secrets.push_back(
          {target.empty() ? "/run/secrets/" + mount.id : target, *content, mount.uid, mount.gid, mount.mode});
    }
    return {};
  }

  Result<void> take(const std::string& target, const plan::SshMount& mount) {
    if (!m_resources.ssh_agent) {
      return not_here("an SSH agent");
    }
    const auto agent = m_resources.ssh_agent(mount.id);
    const auto number = m_agents++;
    if (!agent) {
      return mount.required ? missing("SSH agent", mount.id, fmt::format("--ssh {}", mount.id)) : Result<void>();
    }
    SHEAF_TRY_ASSIGN(const auto folder, fresh_directory("agent-"));
    const auto socket = folder + "/socket";
    SHEAF_TRY_ASSIGN(auto proxy, AgentProxy::start(*agent, socket, mount.uid, mount.gid, mount.mode));
    const auto place = target.empty() ? fmt::format("{}.{}", k_agent_path, number) : target;
    m_spec.binds.push_back({socket, place, sandbox::Access::read_write, false});
    m_lease.agents.push_back(std::move(proxy));
    const bool is_set = std::ranges::any_of(
        m_command.environment, [](const std::string& entry) { return entry.starts_with("SSH_AUTH_SOCK="); });
    if (!is_set) { // several agents: the variable names the first
      m_command.environment.push_back("SSH_AUTH_SOCK=" + place);
    }
    return {};
  }

  static Result<void> missing(const char* what, const std::string& id, const std::string& option) {
    return Error(ErrorCode::not_found, fmt::format("there is no {} '{}'", what, id))
        .with_hint(fmt::format("give it with '{}', or leave out 'required'", option));
  }

  Result<std::string> fresh_directory(const char* prefix) const {
    return m_resources.fresh_directory ? m_resources.fresh_directory(prefix)
                                       : Result<std::string>(Error(ErrorCode::internal, "no place for directories"));
  }

  sandbox::SandboxSpec& m_spec;
  sandbox::RunCommand& m_command;
  RunLease& m_lease;
  const RunResources& m_resources;
  std::map<CacheName, std::string> m_caches; ///< where they are
  int m_agents = 0;
};

/// Each name once: the last value counts, at the place of the first.
std::vector<std::string> environment_of(const plan::RunStep& step, const RunResources& resources) {
  std::vector<std::pair<std::string, std::string>> variables;
  const auto set = [&](const std::string& name, const std::string& value) {
    const auto found = std::ranges::find(variables, name, [](const auto& variable) { return variable.first; });
    if (found == variables.end()) {
      variables.emplace_back(name, value);
    } else {
      found->second = value;
    }
  };
  for (const auto& [name, value] : resources.environment) {
    set(name, value);
  }
  for (const auto& [name, value] : step.environment) {
    set(name, value);
  }
  std::vector<std::string> lines;
  lines.reserve(variables.size());
  for (const auto& [name, value] : variables) {
    lines.push_back(fmt::format("{}={}", name, value));
  }
  return lines;
}

} // namespace

Result<RunLease> add_run(sandbox::SandboxSpec& spec, const plan::RunStep& step, const RunResources& resources) {
  sandbox::RunCommand command;
  command.argv = step.argv;
  command.directory = step.directory;
  command.user = step.user;
  command.environment = environment_of(step, resources);
  command.is_privileged = step.security == plan::Security::insecure;
  if (step.network == plan::Network::none) {
    spec.network = sandbox::Network::none;
  }
  if (step.script) {
    spec.secrets.push_back({k_script_path, *step.script, 0, 0, 0755});
    command.argv = {k_script_path};
  }
  RunLease lease;
  Adder adder(spec, command, lease, resources);
  SHEAF_TRY(adder.take_caches(step.mounts));
  for (const auto& mount : step.mounts) {
    SHEAF_TRY(adder.add(mount));
  }
  std::get<std::vector<sandbox::RunCommand>>(spec.action).push_back(std::move(command));
  return lease;
}

bool needs_own_sandbox(const plan::RunStep& step) {
  return !step.mounts.empty() || step.script || step.network == plan::Network::none ||
         step.security == plan::Security::insecure;
}

} // namespace sheaf::builder
