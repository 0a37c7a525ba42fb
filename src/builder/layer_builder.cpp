// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_builder.hpp"

#include "base/text.hpp"
#include "builder/bootstrap.hpp"
#include "builder/deletions.hpp"
#include "builder/generated_filter.hpp"
#include "builder/package_caches.hpp"
#include "builder/share_files.hpp"
#include "builder/shared_state.hpp"
#include "builder/snapshot.hpp"
#include "builder/step_runner.hpp"
#include "builder/support_files.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

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

/// Looks at the tree as the steps left it, before it is captured.
using Inspect = std::function<Result<void>(const std::string& tree)>;

/// One build of one layer, from staging to a record. Everything it makes lies in the staging directory until commit.
class Build {
public:
  Build(const plan::LayerPlan& plan, const RecipeKey& key, store::Store& store, store::Staging& staging,
        store::Staging& links, BuildLog& log, sandbox::Runtime& runtime, EventSink& events, const Downloads& downloads)
      : m_plan(plan),
        m_key(key),
        m_store(store),
        m_staging(staging),
        m_links(links),
        m_log(log),
        m_runtime(runtime),
        m_events(events),
        m_downloads(downloads) {}

  Result<store::StoredLayer> run(const std::vector<store::StoredLayer>& closure, const Composition& below,
                                 std::stop_token stop) {
    const auto start = Clock::now();
    SHEAF_TRY_ASSIGN(auto record, make(closure, below, nullptr, {}, stop));
    record.build_ms = static_cast<std::int64_t>(milliseconds_since(start));
    if (m_plan.bootstrap) { // before the commit: a base without its package lists would be of no use
      SHEAF_TRY(keep_generation(record));
    }
    SHEAF_TRY(share(record));
    return m_store.commit(m_staging.file("layer"), record);
  }

  /// Everything but the commit: tree, inventory and facts lie in the staging directory's "layer". `trial` may be null,
  /// `inspect` empty.
  Result<store::LayerRecord> make(const std::vector<store::StoredLayer>& closure, const Composition& below,
                                  const Trial* trial, const Inspect& inspect, std::stop_token stop) {
    SHEAF_TRY(os::make_directories(tree()));
    SHEAF_TRY_ASSIGN(auto support,
                     prepare_support(m_staging.file("run"), trial != nullptr ? trial->hostname : "sheaf-build"));
    SHEAF_TRY_ASSIGN(const auto npm, m_store.folder("cache/npm"));
    SHEAF_TRY(add_build_support(support, npm));
    if (trial != nullptr && !trial->clock_shifter.empty()) {
      SHEAF_TRY(add_clock_shift(support, trial->clock_shifter));
    }
    SHEAF_TRY(m_plan.bootstrap ? run_bootstrap(stop) : take_epoch(closure));
    SHEAF_TRY_ASSIGN(auto lowers, lowers_of(below));
    PackageCaches caches(m_store, m_links);
    Workbench bench{m_store, m_downloads, m_staging, lowers, tree(), support, {}, m_epoch, trial};
    if (!closure.empty()) {
      SHEAF_TRY(caches.open_on(closure.front()));
      SHEAF_TRY(caches.restore_lists(closure.front().record.content_key, bench, m_runtime, m_log, m_events, stop));
    } else if (m_plan.bootstrap) {
      SHEAF_TRY(caches.open_for_base(m_staging.file("lists")));
    }
    bench.caches = caches.mounts();
    SHEAF_TRY(run_steps(m_plan, bench, m_runtime, m_log, m_events, stop));
    SHEAF_TRY(caches.keep_downloads());
    m_log.finish();
    SHEAF_TRY(inspect ? inspect(tree()) : Result<void>());
    return capture_tree(closure, below);
  }

private:
  std::string tree() const { return m_staging.file("layer/tree"); }

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

  Result<void> keep_generation(const store::LayerRecord& record) {
    SHEAF_TRY_ASSIGN(const auto lists, m_store.folder(lists_of(record.content_key)));
    return harvest(m_staging.file("lists"), lists, "");
  }

  /// Files that stored layers have too take their place on the disk once.
  Result<void> share(const store::LayerRecord& record) {
    SHEAF_TRY_ASSIGN(const auto same, m_store.find(record.content_key));
    if (same) { // the commit throws this tree away
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(m_staging.file("layer/inventory")));
    SHEAF_TRY_ASSIGN(const auto donors, m_store.all());
    SHEAF_TRY(share_files(tree(), inventory, donors, m_staging.file("shared-file")));
    return {};
  }

  Result<store::LayerRecord> capture_tree(const std::vector<store::StoredLayer>& closure, const Composition& below) {
    SHEAF_TRY_ASSIGN(const auto parent, layer::ParentView::open(below.lowers));
    layer::CaptureOptions options;
    options.epoch = m_epoch;
    auto trees = below.lowers;
    trees.push_back(tree());
    SHEAF_TRY_ASSIGN(auto rules, snapshot_rules(m_plan.steps, trees));
    rules.insert(rules.end(), m_plan.capture.begin(), m_plan.capture.end());
    options.rules = layer::CaptureRules(std::move(rules));
    GeneratedFilter generated;
    if (!below.lowers.empty()) { // a base keeps its databases: they are what facts are measured against
      options.is_shared_state = is_shared_state;
      SHEAF_TRY_ASSIGN(generated, GeneratedFilter::look(below.lowers, tree()));
      options.is_generated = [&generated](const auto& path, const auto& target) {
        return generated.drops(path, target);
      };
    }
    SHEAF_TRY_ASSIGN(const auto captured, layer::capture(tree(), parent, options));
    SHEAF_TRY_ASSIGN(const auto own, layer::ParentView::open({tree()}));
    SHEAF_TRY_ASSIGN(const auto changes, facts_of(captured.shared_state, own, parent));
    SHEAF_TRY(check_deletions(m_plan, captured.inventory, changes, closure));
    const auto facts = join::serialise(changes);
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
    record.replaces = m_plan.replaces;
    record.base = closure.empty() ? std::string() : closure.front().record.content_key.hex();
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
  store::Staging& m_links; ///< on the store's file system; as a rule m_staging itself
  BuildLog& m_log;
  sandbox::Runtime& m_runtime;
  EventSink& m_events;
  const Downloads& m_downloads;
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

void LayerBuilder::tell_of_damage() {
  for (const auto& path : m_store.take_damaged()) {
    m_events.emit(
        {EventKind::warning, "store", fmt::format("the layer at '{}' is damaged: it counts as missing", path)});
  }
}

Result<store::StoredLayer> LayerBuilder::build(const plan::LayerPlan& plan,
                                               const std::vector<store::StoredLayer>& closure, std::stop_token stop) {
  const auto subject = "layer " + plan.name;
  const auto key = key_of(plan, closure);
  SHEAF_TRY_ASSIGN(auto found, m_store.find(key));
  tell_of_damage();
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
  if (auto fetched = m_cache.fetch ? m_cache.fetch(key, plan.name, stop) : std::nullopt) {
    m_events.emit({EventKind::end, subject, fmt::format("fetched, {}", human_bytes(fetched->record.bytes)), 0, 0,
                   milliseconds_since(start)});
    return std::move(*fetched);
  }
  auto built = build_new(plan, key, closure, stop).context(fmt::format("building layer '{}'", plan.name));
  tell_of_damage();
  if (built) {
    const auto& record = built->record;
    m_events.emit({EventKind::end, subject, fmt::format("{}, {} files", human_bytes(record.bytes), record.files), 0, 0,
                   milliseconds_since(start)});
    if (m_cache.offer) {
      m_cache.offer(*built, stop);
    }
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
    SHEAF_TRY_ASSIGN(below, m_composer.compose(closure, stop));
  }
  if (!below.conflicts.empty()) {
    const std::scoped_lock guard(m_mutex);
    m_conflicts.insert(m_conflicts.end(), below.conflicts.begin(), below.conflicts.end());
    return conflict_error(below.conflicts);
  }
  return Build(plan, key, m_store, staging, staging, *log, m_runtime, m_events, m_downloads).run(closure, below, stop);
}

Result<Rebuilt> LayerBuilder::rebuild(const plan::LayerPlan& plan, const std::vector<store::StoredLayer>& closure,
                                      const RebuildConditions& conditions, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto links, m_store.stage());
  // Others may write there too: a folder that is ours alone around it.
  SHEAF_TRY_ASSIGN(const auto folder,
                   os::TempDir::create(conditions.place.empty() ? links.path() : conditions.place, "sheaf-verify-"));
  SHEAF_TRY_ASSIGN(auto place, store::Staging::create(folder.path()));
  SHEAF_TRY_ASSIGN(const auto logs, m_store.folder("logs"));
  SHEAF_TRY_ASSIGN(const auto log,
                   BuildLog::open(fmt::format("{}/{}-verify.log", logs, plan.name), "layer " + plan.name, m_events));
  Composition below;
  if (!closure.empty()) {
    SHEAF_TRY_ASSIGN(below, m_composer.compose(closure, stop));
  }
  if (!below.conflicts.empty()) {
    return conflict_error(below.conflicts);
  }
  Rebuilt rebuilt;
  Trial trial;
  trial.hostname = conditions.hostname;
  trial.clock_shifter = conditions.clock_shifter;
  trial.processors = conditions.processors;
  trial.before_step = [&](std::size_t) { rebuilt.step_starts.push_back(separate_steps()); };
  const auto inspect = [&](const std::string& tree) -> Result<void> {
    SHEAF_TRY_ASSIGN(rebuilt.written, change_times(tree));
    return {};
  };
  const auto key = key_of(plan, closure);
  Build build(plan, key, m_store, place, links, *log, m_runtime, m_events, m_downloads);
  SHEAF_TRY_ASSIGN(rebuilt.record, build.make(closure, below, &trial, inspect, stop));
  SHEAF_TRY_ASSIGN(rebuilt.inventory, os::read_file(place.file("layer/inventory")));
  SHEAF_TRY_ASSIGN(rebuilt.facts, os::read_file(place.file("layer/facts")));
  return rebuilt;
}

std::vector<LayerConflict> LayerBuilder::take_conflicts() {
  const std::scoped_lock guard(m_mutex);
  return std::exchange(m_conflicts, {});
}

} // namespace sheaf::builder
