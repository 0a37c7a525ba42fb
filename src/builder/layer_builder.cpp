// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_builder.hpp"

#include "base/text.hpp"
#include "builder/bootstrap.hpp"
#include "builder/step_runner.hpp"
#include "builder/support_files.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <dirent.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace sheaf::builder {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

RecipeKey key_of(const plan::LayerPlan& plan, const std::vector<store::StoredLayer>& closure) {
  std::map<std::string, ContentKey> contents;
  for (const auto& layer : closure) {
    contents.emplace(layer.record.name, layer.record.content_key);
  }
  return plan::recipe_key(plan, contents);
}

/// One build of one layer, from staging to a record. Everything it makes lies in the staging directory until commit.
class Build {
public:
  Build(const plan::LayerPlan& plan, const RecipeKey& key, store::Store& store, store::Staging& staging, BuildLog& log,
        sandbox::Runtime& runtime, EventSink& events)
      : m_plan(plan),
        m_key(key),
        m_store(store),
        m_staging(staging),
        m_log(log),
        m_runtime(runtime),
        m_events(events) {}

  Result<store::StoredLayer> run(const std::vector<store::StoredLayer>& closure, const Composition& below,
                                 std::stop_token stop) {
    const auto start = Clock::now();
    SHEAF_TRY(os::make_directories(tree()));
    SHEAF_TRY_ASSIGN(auto support, prepare_support(m_staging.file("run"), "sheaf-build"));
    SHEAF_TRY_ASSIGN(const auto npm, m_store.folder("cache/npm"));
    SHEAF_TRY(add_build_support(support, npm));
    SHEAF_TRY(m_plan.bootstrap ? run_bootstrap(stop) : take_epoch(closure));
    SHEAF_TRY_ASSIGN(auto lowers, lowers_of(below));
    SHEAF_TRY_ASSIGN(auto caches, package_caches(closure));
    if (!closure.empty()) {
      SHEAF_TRY(restore_lists(generation(closure), caches, {m_staging, lowers, "", support, {}, m_epoch}, stop));
    }
    SHEAF_TRY(
        run_steps(m_plan, {m_staging, lowers, tree(), support, caches, m_epoch}, m_runtime, m_log, m_events, stop));
    SHEAF_TRY(keep_downloads(caches));
    m_log.finish();
    SHEAF_TRY_ASSIGN(auto record, capture_tree(below));
    record.build_ms = static_cast<std::int64_t>(milliseconds_since(start));
    if (m_plan.bootstrap) { // before the commit: a base without its package lists would be of no use
      SHEAF_TRY(keep_generation(record));
    }
    return m_store.commit(m_staging.file("layer"), record);
  }

private:
  std::string tree() const { return m_staging.file("layer/tree"); }
  static std::string lists_of(const ContentKey& base) { return "generations/" + base.hex(); }

  Result<void> run_bootstrap(std::stop_token stop) {
    SHEAF_TRY(os::make_directories(m_staging.file("lists")));
    SHEAF_TRY_ASSIGN(const auto archives, m_store.folder("cache/apt"));
    m_events.emit({EventKind::step, "layer " + m_plan.name,
                   fmt::format("{} {}", m_plan.bootstrap->tool, m_plan.bootstrap->suite)});
    auto made = bootstrap(*m_plan.bootstrap, tree(), m_staging.file("lists"), archives, m_log, stop);
    if (!made) {
      m_log.finish();
      const auto details = m_log.tail();
      return std::move(made)
          .error()
          .with_details(details.empty() ? details : details + "\n  the whole log: " + m_log.path())
          .with_context(fmt::format("bootstrapping {} from its packages", m_plan.bootstrap->suite));
    }
    m_epoch = made->epoch;
    return {};
  }

  Result<void> take_epoch(const std::vector<store::StoredLayer>& closure) {
    m_epoch = closure.empty() ? 0 : closure.front().record.epoch;
    return {};
  }

  /// A base has nothing below it, but an overlay needs a lower.
  Result<std::vector<std::string>> lowers_of(const Composition& below) {
    if (!below.lowers.empty()) {
      return below.lowers;
    }
    SHEAF_TRY_ASSIGN(auto empty, m_staging.fresh_directory("empty-"));
    return std::vector<std::string>{std::move(empty)};
  }

  /// A folder of hard links to the files of `shared`. What is a lower of an overlay must not change while it is mounted
  /// (overlayfs.rst), and other builds add to the shared folder.
  Result<std::string> snapshot(const std::string& shared) {
    SHEAF_TRY_ASSIGN(auto folder, m_staging.fresh_directory("cache-"));
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(shared));
    for (const auto& entry : entries) {
      if (entry.type == DT_REG) {
        SHEAF_TRY(os::hard_link(shared + "/" + entry.name, folder + "/" + entry.name));
      }
    }
    return folder;
  }

  static std::string generation(const std::vector<store::StoredLayer>& closure) {
    return closure.empty() ? std::string() : lists_of(closure.front().record.content_key);
  }

  /// Downloaded packages are shared by all layers, the package lists by all layers of one base: one generation.
  Result<std::vector<sandbox::OverlayMount>> package_caches(const std::vector<store::StoredLayer>& closure) {
    SHEAF_TRY_ASSIGN(const auto archives, m_store.folder("cache/apt"));
    SHEAF_TRY_ASSIGN(const auto packages, snapshot(archives));
    std::vector<sandbox::OverlayMount> caches = {{packages, "", "", "/var/cache/apt/archives"}};
    if (!closure.empty()) {
      SHEAF_TRY_ASSIGN(const auto shared, m_store.folder(generation(closure)));
      SHEAF_TRY_ASSIGN(const auto lists, snapshot(shared));
      caches.push_back({lists, "", "", "/var/lib/apt/lists"});
    } else if (m_plan.bootstrap) {
      caches.push_back({m_staging.file("lists"), "", "", "/var/lib/apt/lists"});
    }
    for (auto& cache : caches) {
      SHEAF_TRY_ASSIGN(cache.upper, m_staging.fresh_directory("cache-upper-"));
    }
    return caches;
  }

  /// The lists of a base that came without them, or lost them: fetched once, for all its layers.
  Result<void> restore_lists(const std::string& name, std::vector<sandbox::OverlayMount>& caches, Workbench bench,
                             std::stop_token stop) {
    SHEAF_TRY_ASSIGN(const auto shared, m_store.folder(name));
    if (!os::exists(bench.lowers.front() + "/usr/bin/apt-get")) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto lock, m_store.lock_key("lists-" + name.substr(name.find('/') + 1)));
    SHEAF_TRY_ASSIGN(const auto present, os::list_directory(shared));
    if (present.empty()) {
      plan::LayerPlan update;
      update.name = m_plan.name;
      update.steps = {
          {"apt-get update", 0, plan::RunStep{{"apt-get", "update"}, {{"PATH", plan::k_default_path}}, "/", "root"}}};
      SHEAF_TRY_ASSIGN(bench.upper, m_staging.fresh_directory("update-"));
      bench.caches = caches;
      SHEAF_TRY(run_steps(update, bench, m_runtime, m_log, m_events, stop));
      SHEAF_TRY(harvest(caches.back().upper, shared, ""));
    }
    // Another build may have fetched them while we waited.
    SHEAF_TRY_ASSIGN(caches.back().shared, snapshot(shared));
    return {};
  }

  Result<void> keep_downloads(const std::vector<sandbox::OverlayMount>& caches) {
    SHEAF_TRY_ASSIGN(const auto archives, m_store.folder("cache/apt"));
    return harvest(caches.front().upper, archives, ".deb");
  }

  Result<void> keep_generation(const store::LayerRecord& record) {
    SHEAF_TRY_ASSIGN(const auto lists, m_store.folder(lists_of(record.content_key)));
    return harvest(m_staging.file("lists"), lists, "");
  }

  Result<store::LayerRecord> capture_tree(const Composition& below) {
    SHEAF_TRY_ASSIGN(const auto parent, layer::ParentView::open(below.lowers));
    layer::CaptureOptions options;
    options.epoch = m_epoch;
    options.rules = layer::CaptureRules(m_plan.capture);
    if (!below.lowers.empty()) { // a base keeps its databases: they are what facts are measured against
      options.is_shared_state = is_shared_state;
    }
    SHEAF_TRY_ASSIGN(const auto captured, layer::capture(tree(), parent, options));
    SHEAF_TRY_ASSIGN(const auto facts, facts_text(captured.shared_state, parent));
    const auto inventory = layer::serialise(captured.inventory);
    SHEAF_TRY(os::write_file(m_staging.file("layer/inventory"), inventory));
    SHEAF_TRY(os::write_file(m_staging.file("layer/facts"), facts));
    store::LayerRecord record;
    record.name = m_plan.name;
    record.kind = m_plan.kind;
    record.recipe_key = m_key;
    record.content_key.digest =
        Sha256().field("sheaf-content 1").field(inventory).field(facts).field(store::serialise(m_plan.config)).finish();
    record.needs = m_plan.closure;
    record.config = m_plan.config;
    record.epoch = m_epoch;
    record.bytes = captured.inventory.total_bytes();
    record.files = captured.inventory.entries.size();
    record.created = std::time(nullptr);
    record.inputs = m_plan.inputs;
    record.dropped.emplace();
    for (const auto& [path, dropped] : captured.dropped) {
      record.dropped->push_back({path, dropped.kind, dropped.entries});
    }
    if (m_plan.bootstrap && !captured.dropped.contains("etc/machine-id")) {
      // A fresh root has none, or an empty one (mmdebstrap(1), cleanup/reproducible); what runs in it needs one.
      record.dropped->push_back({"etc/machine-id", "identity", 0});
    }
    return record;
  }

  const plan::LayerPlan& m_plan;
  const RecipeKey& m_key;
  store::Store& m_store;
  store::Staging& m_staging;
  BuildLog& m_log;
  sandbox::Runtime& m_runtime;
  EventSink& m_events;
  std::int64_t m_epoch = 0;
};

} // namespace

Result<os::FileLock> LayerBuilder::wait_for_key(const std::string& name, const RecipeKey& key, std::stop_token stop) {
  constexpr auto k_pause = std::chrono::milliseconds(50);
  for (bool told = false; !stop.stop_requested(); told = true) {
    SHEAF_TRY_ASSIGN(auto free, m_store.try_lock_key(key.hex()));
    if (free) {
      return std::move(*free);
    }
    if (!told) {
      m_events.emit({EventKind::note, "layer " + name, "another sheaf is building this layer; waiting for it"});
    }
    std::this_thread::sleep_for(k_pause);
  }
  return Error(ErrorCode::cancelled, "stopped");
}

Result<store::StoredLayer> LayerBuilder::build(const plan::LayerPlan& plan,
                                               const std::vector<store::StoredLayer>& closure, std::stop_token stop) {
  const auto subject = "layer " + plan.name;
  const auto key = key_of(plan, closure);
  SHEAF_TRY_ASSIGN(auto found, m_store.find(key));
  if (found) {
    m_events.emit({EventKind::cached, subject, "unchanged"});
    return std::move(*found);
  }
  SHEAF_TRY_ASSIGN(const auto lock, wait_for_key(plan.name, key, stop));
  SHEAF_TRY_ASSIGN(found, m_store.find(key));
  if (found) {
    m_events.emit({EventKind::note, subject, "built by another sheaf meanwhile"});
    m_events.emit({EventKind::cached, subject, "unchanged"});
    return std::move(*found);
  }
  m_events.emit({EventKind::begin, subject, plan.reason});
  const auto start = Clock::now();
  auto built = build_new(plan, key, closure, stop).context(fmt::format("building layer '{}'", plan.name));
  if (built) {
    const auto& record = built->record;
    m_events.emit({EventKind::end, subject, fmt::format("{}, {} files", human_bytes(record.bytes), record.files), 0, 0,
                   milliseconds_since(start)});
  } else {
    m_events.emit({EventKind::fail, subject, built.error().summary(), 0, 0, milliseconds_since(start)});
  }
  return built;
}

Result<store::StoredLayer> LayerBuilder::build_new(const plan::LayerPlan& plan, const RecipeKey& key,
                                                   const std::vector<store::StoredLayer>& closure,
                                                   std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  SHEAF_TRY_ASSIGN(const auto logs, m_store.folder("logs"));
  SHEAF_TRY_ASSIGN(const auto log, BuildLog::open(fmt::format("{}/{}-{}.log", logs, plan.name, key.short_hex()),
                                                  "layer " + plan.name, m_events));
  Composition below;
  if (!closure.empty()) {
    SHEAF_TRY_ASSIGN(below, m_composer.compose(closure));
  }
  return Build(plan, key, m_store, staging, *log, m_runtime, m_events).run(closure, below, stop);
}

} // namespace sheaf::builder
