// SPDX-License-Identifier: Apache-2.0
#include "builder/stage_runner.hpp"

#include "base/text.hpp"
#include "builder/build_log.hpp"
#include "builder/run_spec.hpp"
#include "builder/snapshot.hpp"
#include "builder/step_inputs.hpp"
#include "builder/tree_cleanup.hpp"
#include "os/file.hpp"
#include "store/key_lock.hpp"
#include "store/tree_digest.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

namespace sheaf::builder {
namespace {

using Clock = std::chrono::steady_clock;
using plan::Source;

/// The kernel mounts 500 lowers at most; a command's own mounts and the tools above us need some air.
constexpr std::size_t k_most_trees = 400;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Who has the root directory, and with which mode: an overlay shows that of its upper directory.
struct RootLook {
  mode_t mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const RootLook&) const = default;
};

Result<RootLook> look_of(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", directory));
  }
  return RootLook{info.st_mode & 07777U, info.st_uid, info.st_gid};
}

Result<void> make_upper(const std::string& directory, const RootLook& look) {
  SHEAF_TRY(os::make_directories(directory));
  const bool is_ours = look.uid == geteuid() && look.gid == getegid();
  if ((!is_ours && chown(directory.c_str(), look.uid, look.gid) != 0) || chmod(directory.c_str(), look.mode) != 0) {
    return Error::from_errno(errno, fmt::format("preparing '{}'", directory));
  }
  return {};
}

/// A name as part of a file's name.
std::string file_name(const std::string& name) {
  std::string text = name.substr(0, 60);
  std::ranges::replace_if(
      text, [](char c) { return c == '/' || c == '\0' || c == '\n'; }, '-');
  return text;
}

/// A step that is being carried out.
struct Bench {
  std::string folder; ///< becomes the step's folder in the store
  std::string tree() const { return folder + "/tree"; }
  sandbox::SandboxSpec spec;
  RunLease lease;
  RootLook root;
};

class StageRunner {
public:
  StageRunner(ImageBuild& build, const plan::StagePlan& stage, std::stop_token stop)
      : m_build(build), m_stage(stage), m_stop(std::move(stop)), m_subject("stage " + stage.name) {}

  Result<StageState> run(StageState state) {
    m_state = std::move(state);
    const auto start = Clock::now();
    for (m_index = 0; m_index < m_stage.steps.size(); ++m_index) {
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      auto done = do_step().context(doing());
      if (!done) {
        if (!m_build.borrowed.is_broken()) { // else the build begins again
          m_build.events.emit({EventKind::fail, m_subject, done.error().summary(), 0, 0, milliseconds_since(start)});
        }
        return std::move(done).error();
      }
    }
    if (m_has_begun) {
      m_build.events.emit(
          {EventKind::end, m_subject, fmt::format("{} steps", m_stage.steps.size()), 0, 0, milliseconds_since(start)});
    }
    return std::move(m_state);
  }

private:
  const plan::Step& step() const { return m_stage.steps[m_index]; }
  std::string doing() const {
    return fmt::format("stage '{}': step {} of {} ({})", m_stage.name, m_index + 1, m_stage.steps.size(),
                       step().display);
  }
  void tell(EventKind kind) {
    m_build.events.emit({kind, m_subject, step().display, m_index + 1, m_stage.steps.size()});
  }

  Result<void> do_step() {
    if (const auto* snapshot = std::get_if<plan::SnapshotStep>(&step().action)) { // an image keeps everything anyway
      SHEAF_TRY(m_build.borrowed.need(m_state.trees()));
      return check_snapshot(*snapshot, paths());
    }
    SHEAF_TRY_ASSIGN(const auto keyed, key_of(m_build, m_stage, step(), m_state, m_stop));
    if (reuse(keyed.key)) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto lock, wait_for_key(keyed.key));
    if (reuse(keyed.key)) { // another sheaf was faster
      return {};
    }
    SHEAF_TRY(m_build.borrowed.need(m_state.trees()));
    SHEAF_TRY_ASSIGN(const auto record, carry_out(keyed));
    m_state.add(record);
    return {};
  }

  /// Of the trees, bottom first.
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const auto& tree : m_state.trees()) {
      paths.push_back(m_build.store.tree_path(tree));
    }
    return paths;
  }

  bool reuse(const Digest& key) {
    if (m_stage.no_cache) {
      return false;
    }
    auto found = m_build.store.find_step(key);
    if (!found) {
      found = m_build.borrowed.find(key);
    }
    if (found) {
      m_state.add(*found);
      m_build.log.reused({key, *found});
      tell(EventKind::cached);
    }
    return found.has_value();
  }

  Result<os::FileLock> wait_for_key(const Digest& key) {
    return store::wait_for_key(m_build.store, key.hex(), m_stop, [&] {
      m_build.events.emit({EventKind::note, m_subject, "this step is being built elsewhere; waiting for it"});
    });
  }

  Result<store::StepRecord> carry_out(const KeyedStep& keyed) {
    const auto start = Clock::now();
    SHEAF_TRY(begin(keyed.key));
    tell(EventKind::step);
    SHEAF_TRY_ASSIGN(auto bench, set_up(keyed.versions));
    SHEAF_TRY(run_sandbox(bench));
    const auto* copy = std::get_if<plan::CopyStep>(&step().action);
    SHEAF_TRY(clean_tree(bench.tree(), {m_build.inputs.epoch, copy != nullptr && copy->link}));
    SHEAF_TRY_ASSIGN(auto record, describe_tree(bench));
    record.milliseconds = static_cast<std::int64_t>(milliseconds_since(start));
    const auto key = key_of_result(keyed);
    SHEAF_TRY(m_build.store.commit_step(bench.folder, key, record));
    m_build.log.carried_out({key, record});
    return record;
  }

  /// Somebody may have edited the context since the key was made. What was built then is not what the key says: it is
  /// good for this build, and kept by a name that nobody will ask for.
  Digest key_of_result(const KeyedStep& keyed) {
    for (const auto& read : keyed.reads) {
      const auto same = m_build.sources.is_as_read(read);
      if (same && *same) {
        continue;
      }
      const auto what =
          same || same.error().code() == ErrorCode::not_found
              ? fmt::format("files of the context changed while step {} ({}) read them", m_index + 1, step().display)
              : fmt::format("files of the context could not be read again after step {} ({}): {}", m_index + 1,
                            step().display, same.error().message());
      m_build.events.emit({EventKind::warning, m_subject, what + "; it is not remembered for later builds"});
      return Digest::of(fmt::format("{} {} {}", keyed.key.hex(), getpid(), Clock::now().time_since_epoch().count()));
    }
    return keyed.key;
  }

  /// What is needed by the first step of the stage that is carried out.
  Result<void> begin(const Digest& key) {
    if (m_has_begun) {
      return {};
    }
    m_build.events.emit({EventKind::begin, m_subject, m_index == 0 ? "new" : fmt::format("from step {}", m_index + 1)});
    SHEAF_TRY_ASSIGN(auto staging, m_build.store.stage());
    m_staging.emplace(std::move(staging));
    SHEAF_TRY_ASSIGN(const auto path,
                     m_build.store.log_path(fmt::format("{}-{}.log", file_name(m_stage.name), key.short_hex())));
    SHEAF_TRY_ASSIGN(m_log, BuildLog::open(path, m_subject, m_build.events));
    SHEAF_TRY(os::make_directories(m_staging->file("empty")));
    SHEAF_TRY(make_mount_points());
    SHEAF_TRY(write_host_files());
    m_has_begun = true;
    return {};
  }

  /// Below all trees of a RUN lies one with what every sandbox mounts on (but the kernel's folders, which stay), so
  /// that nothing of it has to be made, and taken away again, in the upper directory of each. What an image has in
  /// these places hides it.
  Result<void> make_mount_points() {
    SHEAF_TRY(os::make_directories(m_staging->file("below/etc")));
    for (const auto* file : {"hosts", "resolv.conf"}) {
      SHEAF_TRY(os::write_file(fmt::format("{}/etc/{}", m_staging->file("below"), file), ""));
    }
    return os::make_directories(m_staging->file("root"));
  }

  /// Commands share the host's network, so its names are theirs.
  Result<void> write_host_files() {
    SHEAF_TRY_ASSIGN(const auto hosts, os::read_file_if_exists("/etc/hosts"));
    SHEAF_TRY_ASSIGN(const auto resolver, os::read_file_if_exists("/etc/resolv.conf"));
    auto text = hosts.value_or("127.0.0.1\tlocalhost\n");
    for (const auto& [name, address] : m_build.inputs.hosts) {
      text += fmt::format("{}\t{}\n", address, name);
    }
    SHEAF_TRY(os::write_file(m_staging->file("hosts"), text));
    return os::write_file(m_staging->file("resolv.conf"), resolver.value_or(""));
  }

  Result<Bench> set_up(const Versions& versions) {
    const auto* copy = std::get_if<plan::CopyStep>(&step().action);
    const bool on_nothing = copy != nullptr && copy->link;
    if (m_state.trees().size() > k_most_trees) {
      return Error(ErrorCode::unsupported, fmt::format("more than {} trees lie on top of each other", k_most_trees))
          .with_hint("put several instructions into one, or start a new stage and copy what it needs");
    }
    Bench bench;
    SHEAF_TRY_ASSIGN(bench.folder, m_staging->fresh_directory("step-"));
    auto& spec = bench.spec;
    spec.lowers = paths();
    if (on_nothing || spec.lowers.empty()) {
      spec.lowers = {m_staging->file("empty")};
    }
    SHEAF_TRY_ASSIGN(bench.root, look_of(spec.lowers.back()));
    SHEAF_TRY(make_upper(bench.tree(), bench.root));
    spec.upper = bench.tree();
    spec.is_volatile = true;
    spec.hostname = "sheaf-build";
    SHEAF_TRY_ASSIGN(spec.work, m_staging->fresh_directory("work-"));
    spec.mount_point = m_staging->file("root"); // every sandbox has mounts of its own
    if (const auto* run = std::get_if<plan::RunStep>(&step().action)) {
      SHEAF_TRY(set_up_run(*run, bench));
    } else if (copy != nullptr) {
      SHEAF_TRY_ASSIGN(spec.action, copy_files_of(m_build, *copy, versions, *m_staging, m_stop));
    } else {
      const auto& directory = std::get<plan::MakeDirectoryStep>(step().action);
      spec.action = sandbox::MakeDirectory{directory.path, directory.user};
    }
    return bench;
  }

  Result<void> check_platform() const {
    if (!m_build.inputs.runs_here || m_build.inputs.runs_here(m_stage.platform)) {
      return {};
    }
    return Error(ErrorCode::unsupported,
                 fmt::format("this machine runs no programs for {}", m_stage.platform.to_string()))
        .with_hint("install an emulator with binfmt_misc (Debian: qemu-user-static), let the stage start with 'FROM "
                   "--platform=$BUILDPLATFORM', or take the step from a machine of that kind with --cache-from");
  }

  Result<void> set_up_run(const plan::RunStep& run, Bench& bench) {
    SHEAF_TRY(check_platform());
    auto& spec = bench.spec;
    spec.lowers.insert(spec.lowers.begin(), m_staging->file("below"));
    spec.binds.push_back({m_staging->file("hosts"), "/etc/hosts", sandbox::Access::read_only});
    spec.binds.push_back({m_staging->file("resolv.conf"), "/etc/resolv.conf", sandbox::Access::read_only});
    spec.shared_memory = m_build.inputs.shared_memory.value_or(spec.shared_memory);
    SHEAF_TRY_ASSIGN(bench.lease, add_run(spec, run, resources()));
    spec.keeps_kernel_folders = true;
    for (auto& command : std::get<std::vector<sandbox::RunCommand>>(spec.action)) {
      command.only_home = true;
      command.limits = m_build.inputs.limits;
      command.title = std::string(k_step_mark) + doing();
    }
    return {};
  }

  RunResources resources() {
    RunResources resources;
    resources.lowers = [this](const Source& source) { return m_build.sources.mounted(source); };
    resources.secret = [this](const std::string& id) { return secret(id); };
    resources.ssh_agent = [this](const std::string& id) -> std::optional<std::string> {
      const auto found = m_build.inputs.ssh_agents.find(id);
      return found == m_build.inputs.ssh_agents.end() ? std::nullopt : std::optional(found->second);
    };
    resources.cache = [this](const plan::CacheMount& mount) -> Result<CacheDirectory> {
      SHEAF_TRY_ASSIGN(const auto lowers, m_build.sources.mounted(mount.from));
      std::string start;
      if (mount.from.kind != Source::Kind::nothing) {
        SHEAF_TRY_ASSIGN(const auto digest, m_build.sources.digest_of_path(mount.from, mount.path));
        start = digest.hex();
      }
      return m_build.caches.take(mount, lowers, start, m_stop);
    };
    resources.fresh_directory = [this](const std::string& prefix) { return m_staging->fresh_directory(prefix); };
    return resources;
  }

  Result<std::optional<std::string>> secret(const std::string& id) {
    const auto found = m_build.inputs.secrets.find(id);
    if (found == m_build.inputs.secrets.end()) {
      return std::optional<std::string>();
    }
    SHEAF_TRY_ASSIGN(auto value, found->second().context(fmt::format("reading secret '{}'", id)));
    m_build.secrets.add(id, value);
    return std::optional(std::move(value));
  }

  Result<void> run_sandbox(const Bench& bench) {
    if (!std::holds_alternative<plan::RunStep>(step().action)) {
      m_log->note(std::string(k_step_mark) + doing());
    }
    SHEAF_TRY_ASSIGN(const auto outcome,
                     m_build.runtime.run(bench.spec, {-1, m_log->output(), m_log->output()}, m_stop, {}));
    if (outcome.status.ok()) {
      return {};
    }
    if (m_stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    m_log->finish();
    if (m_build.inputs.on_failure) {
      show_failure(bench.spec);
    }
    auto details = m_log->tail();
    details += fmt::format("{}  the whole log: {}", details.empty() ? "" : "\n", m_log->path());
    return Error(ErrorCode::failed_step, fmt::format("failed with {}", outcome.status.to_string()))
        .with_details(details);
  }

  /// The same sandbox, with what the command wrote; overlayfs wants a new work directory.
  void show_failure(sandbox::SandboxSpec spec) {
    auto work = m_staging->fresh_directory("work-");
    auto root = m_staging->fresh_directory("root-");
    if (work && root) {
      spec.work = std::move(*work);
      spec.mount_point = std::move(*root);
      m_build.inputs.on_failure(spec);
    }
  }

  Result<store::StepRecord> describe_tree(const Bench& bench) {
    SecretScan scan(m_build.secrets,
                    m_build.inputs.scan_for_secrets ? SecretScan::Tokens::looked_for : SecretScan::Tokens::ignored);
    SHEAF_TRY_ASSIGN(const auto digest,
                     store::digest_tree(bench.tree(),
                                        {[&](const auto& path, auto text) { scan.look(path, text); }, scan.overlap()}));
    SHEAF_TRY(judge(scan));
    store::StepRecord record;
    record.display = step().display;
    record.content = digest.content;
    record.exact = digest.exact;
    record.bytes = digest.bytes;
    SHEAF_TRY_ASSIGN(const auto root, look_of(bench.tree()));
    record.files = digest.files + (root == bench.root ? 0 : 1);
    record.created = std::time(nullptr);
    return record;
  }

  Result<void> judge(const SecretScan& scan) {
    if (!scan.values().empty()) {
      const auto& [path, id] = *scan.values().begin();
      return Error(ErrorCode::denied, fmt::format("it left the value of secret '{}' in '/{}'", id, path))
          .with_hint("a secret in a file of an image is known to all who have the image; remove it in the same RUN, or "
                     "keep the tool from writing it");
    }
    for (const auto& [path, kind] : scan.tokens()) {
      m_build.events.emit({EventKind::warning, m_subject,
                           fmt::format("'/{}' holds what looks like {}, written by step {} ({})", path, kind,
                                       m_index + 1, step().display)});
    }
    return {};
  }

  ImageBuild& m_build;
  const plan::StagePlan& m_stage;
  std::stop_token m_stop;
  std::string m_subject;
  StageState m_state;
  std::size_t m_index = 0;
  bool m_has_begun = false;
  std::optional<store::Staging> m_staging;
  std::unique_ptr<BuildLog> m_log;
};

} // namespace

Result<StageState> run_stage(ImageBuild& build, const plan::StagePlan& stage, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto base, build.sources.state(stage.base));
  return StageRunner(build, stage, std::move(stop)).run(std::move(base));
}

} // namespace sheaf::builder
