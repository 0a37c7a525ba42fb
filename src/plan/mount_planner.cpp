// SPDX-License-Identifier: Apache-2.0
#include "plan/mount_planner.hpp"

#include "plan/paths.hpp"

#include <fmt/format.h>

namespace sheaf::plan {
namespace {

namespace cf = containerfile;

/// Where an agent's socket is shown unless the flag says it; the number is that of the mount.
constexpr const char* k_agent_socket = "/run/buildkit/ssh_agent.{}";

class MountPlanner {
public:
  MountPlanner(const std::string& directory, const StageSetting& setting, StageWords& words)
      : m_directory(directory), m_setting(setting), m_words(words) {}

  std::optional<Mount> plan(const cf::MountFlag& flag) {
    const auto mount = cf::resolve_mount(
        m_words.source(), flag, [this](const cf::Word& word) { return m_words.expand(word); }, m_words.diagnostics());
    if (!mount) {
      return std::nullopt;
    }
    m_span = flag.span;
    Mount planned{target_of(*mount), what(*mount)};
    if (planned.target == "/") {
      m_words.error(flag.span, "bad-mount", "a mount cannot take the place of '/'");
      return std::nullopt;
    }
    return planned;
  }

private:
  std::string target_of(const cf::Mount& mount) {
    if (!mount.target.empty()) {
      return path_in(m_directory, mount.target);
    }
    if (mount.type == cf::Mount::Type::ssh) {
      return fmt::format(k_agent_socket, m_agents++);
    }
    const bool is_file = mount.type == cf::Mount::Type::secret && mount.environment.empty();
    return is_file ? "/run/secrets/" + mount.id : std::string();
  }

  Source source_of(const std::string& from, Source::Kind otherwise) {
    return from.empty() ? Source{otherwise, {}, 0}
                        : m_setting.source_of(from, m_span, m_words).value_or(Source{otherwise, {}, 0});
  }

  decltype(Mount::what) what(const cf::Mount& mount) {
    switch (mount.type) {
    case cf::Mount::Type::bind:
      return BindMountSource{source_of(mount.from, Source::Kind::context), clean_path(mount.source), mount.read_write};
    case cf::Mount::Type::cache:
      return cache(mount);
    case cf::Mount::Type::tmpfs:
      return TmpfsMount{mount.size};
    case cf::Mount::Type::secret:
      return SecretMount{mount.id,
                         mount.required,
                         mount.environment,
                         mount.uid.value_or(0),
                         mount.gid.value_or(0),
                         mount.mode.value_or(0400)};
    case cf::Mount::Type::ssh:
      break;
    }
    return SshMount{mount.id.empty() ? "default" : mount.id, mount.required, mount.uid.value_or(0),
                    mount.gid.value_or(0), mount.mode.value_or(0600)};
  }

  CacheMount cache(const cf::Mount& mount) {
    CacheMount cache;
    cache.id = mount.id.empty() ? path_in(m_directory, mount.target) : mount.id;
    cache.from = source_of(mount.from, Source::Kind::nothing);
    cache.path = clean_path(mount.source);
    cache.sharing = mount.sharing == cf::Mount::Sharing::locked         ? CacheMount::Sharing::locked
                    : mount.sharing == cf::Mount::Sharing::private_copy ? CacheMount::Sharing::private_copy
                                                                        : CacheMount::Sharing::shared;
    cache.read_only = mount.read_only;
    cache.uid = mount.uid.value_or(0);
    cache.gid = mount.gid.value_or(0);
    cache.mode = mount.mode.value_or(0755);
    return cache;
  }

  const std::string& m_directory;
  const StageSetting& m_setting;
  StageWords& m_words;
  Span m_span;
  unsigned m_agents = 0;
};

} // namespace

std::vector<Mount> plan_mounts(const std::vector<cf::MountFlag>& flags, const std::string& directory,
                               const StageSetting& setting, StageWords& words) {
  MountPlanner planner(directory, setting, words);
  std::vector<Mount> mounts;
  for (const auto& flag : flags) {
    if (auto mount = planner.plan(flag)) {
      mounts.push_back(std::move(*mount));
    }
  }
  return mounts;
}

} // namespace sheaf::plan
