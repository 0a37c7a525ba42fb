// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_builder.hpp"

#include "base/text.hpp"
#include "builder/bootstrap.hpp"
#include "builder/flatten.hpp"
#include "builder/layer_capture.hpp"
#include "builder/package_caches.hpp"
#include "builder/share_files.hpp"
#include "builder/step_runner.hpp"
#include "builder/support_files.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/key_lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace sheaf::builder {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

RecipeKey key_of(const plan::LayerPlan& plan, const std::vector<store::StoredLayer>& closure) {
  return plan::recipe_key(plan, contents_of(closure));
}

/// No file of a base made of an image is younger than the image. Where it does not say when it was made, or names a
/// time that has not come, it is the first that zip files can hold (4.4.6 of .ZIP File Format Specification).
std::int64_t epoch_of(const plan::BaseImage& image) {
  constexpr std::int64_t k_earliest = 315532800; // 1980-01-01
  return image.created > std::time(nullptr) ? k_earliest : std::max(image.created, k_earliest);
}

Error lock_error(const plan::LayerPlan& plan, const ContentKey& content) {
  return Error(ErrorCode::conflict, fmt::format("the layer '{}' came out as {}, but sheaf.lock has {}", plan.name,
                                                content.short_hex(), plan.locked->content.short_hex()))
      .with_hint("what it downloads has changed since; get the layer from a cache, or accept it with 'sheaf lock'");
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
    if (is_locked() && m_plan.locked->is_strict && record.content_key != m_plan.locked->content) {
      return lock_error(m_plan, record.content_key); // nothing of it is kept
    }
    if (m_has_lists) { // before the commit: a base without its package lists would be of no use
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
    SHEAF_TRY(os::make_directories(upper()));
    SHEAF_TRY_ASSIGN(auto support,
                     prepare_support(m_staging.file("run"), trial != nullptr ? trial->hostname : "sheaf-build"));
    SHEAF_TRY_ASSIGN(const auto npm, m_store.folder("cache/npm"));
    SHEAF_TRY(add_build_support(support, npm));
    if (is_locked()) { // the versions are settled: what was downloaded before will do, and may be all there is
      support.environment["npm_config_prefer_offline"] = "true";
    }
    if (trial != nullptr && !trial->clock_shifter.empty()) {
      SHEAF_TRY(add_clock_shift(support, trial->clock_shifter));
    }
    SHEAF_TRY(m_plan.bootstrap ? run_bootstrap(stop) : Result<void>());
    m_epoch = closure.empty() ? m_epoch : closure.front().record.epoch;
    SHEAF_TRY_ASSIGN(auto lowers, lowers_of(below));
    PackageCaches caches(m_store, m_links);
    Workbench bench{m_store, m_downloads, m_staging, lowers, upper(), support, {}, m_epoch, trial};
    if (!closure.empty()) {
      SHEAF_TRY(caches.open_on(closure.front()));
      SHEAF_TRY(caches.restore_lists(closure.front().record.content_key, bench, m_runtime, m_log, m_events, stop));
    } else if (m_plan.bootstrap) {
      SHEAF_TRY(caches.open_for_base(lists()));
    } else if (m_plan.image) {
      SHEAF_TRY(start_from_image(bench, caches, stop));
    }
    bench.caches = caches.mounts();
    SHEAF_TRY(run_steps(m_plan, bench, m_runtime, m_log, m_events, stop));
    SHEAF_TRY(caches.keep_downloads());
    m_log.finish();
    SHEAF_TRY(inspect ? inspect(upper()) : Result<void>());
    SHEAF_TRY(m_plan.image ? make_one_tree() : Result<void>());
    return capture_layer(m_plan, m_key, m_staging.file("layer"), m_epoch, closure, below);
  }

private:
  bool is_locked() const { return m_plan.locked && m_plan.locked->recipe == m_key; }
  std::string tree() const { return m_staging.file("layer/tree"); }
  /// Where the steps write. What lies below them on an image becomes part of the tree only when they are done.
  std::string upper() const { return m_plan.image ? m_staging.file("upper") : tree(); }
  /// Beside the caches that they come from and go to.
  std::string lists() const { return m_links.file("lists"); }

  Result<void> run_bootstrap(std::stop_token stop) {
    SHEAF_TRY(os::make_directories(lists()));
    SHEAF_TRY_ASSIGN(const auto archives, m_store.folder("cache/apt"));
    m_events.emit({EventKind::step, "layer " + m_plan.name,
                   fmt::format("{} {}", m_plan.bootstrap->tool, m_plan.bootstrap->suite)});
    SHEAF_TRY_ASSIGN(auto known, known_lists());
    auto made = bootstrap(*m_plan.bootstrap, {tree(), lists(), archives, std::move(known)}, m_log, stop);
    if (!made) {
      m_log.finish();
      const auto details = m_log.tail();
      return std::move(made)
          .error()
          .with_details(details.empty() ? details : details + "\n  the whole log: " + m_log.path())
          .with_context(fmt::format("bootstrapping {} from its packages", m_plan.bootstrap->suite));
    }
    m_epoch = made->epoch;
    m_has_lists = true;
    return {};
  }

  /// The package lists of the base that the lock file names, if they are here.
  Result<std::string> known_lists() {
    if (!is_locked()) {
      return std::string();
    }
    SHEAF_TRY_ASSIGN(auto folder, m_store.folder(lists_of(m_plan.locked->content)));
    SHEAF_TRY_ASSIGN(const auto files, os::list_directory(folder));
    return files.empty() ? std::string() : std::move(folder);
  }

  Result<void> start_from_image(Workbench& bench, PackageCaches& caches, std::stop_token stop) {
    m_epoch = epoch_of(*m_plan.image);
    const auto runs = [](const plan::Step& step) { return std::holds_alternative<plan::RunStep>(step.action); };
    if (std::ranges::any_of(m_plan.steps, runs)) {
      SHEAF_TRY_ASSIGN(m_has_lists, caches.open_for_image(lists(), bench, m_runtime, m_log, m_events, stop));
    }
    if (m_has_lists) {
      SHEAF_TRY_ASSIGN(const auto released, release_date(lists()));
      m_epoch = std::max(m_epoch, released);
    }
    bench.epoch = m_epoch;
    return {};
  }

  Result<void> make_one_tree() {
    SHEAF_TRY_ASSIGN(const auto made, flatten(m_plan.image->trees, upper(), m_epoch, tree()));
    if (made.left_out > 0) {
      m_events.emit(
          {EventKind::note, "layer " + m_plan.name,
           fmt::format("{} device nodes and sockets of '{}' are left out", made.left_out, m_plan.image->name)});
    }
    return {};
  }

  /// A base has nothing below it, but an overlay needs a lower.
  Result<std::vector<std::string>> lowers_of(const Composition& below) {
    if (!below.lowers.empty()) {
      return below.lowers;
    }
    if (m_plan.image && !m_plan.image->is_here()) {
      return Error(ErrorCode::not_found, fmt::format("the image '{}' is not in the store", m_plan.image->name))
          .with_hint(fmt::format("'sheaf pull {}'", m_plan.image->name));
    }
    if (m_plan.image) {
      return m_plan.image->trees;
    }
    SHEAF_TRY_ASSIGN(auto empty, m_staging.fresh_directory("empty-"));
    return std::vector<std::string>{std::move(empty)};
  }

  Result<void> keep_generation(const store::LayerRecord& record) {
    SHEAF_TRY_ASSIGN(const auto kept, m_store.folder(lists_of(record.content_key)));
    return harvest(lists(), kept, "");
  }

  /// Files that stored layers have too take their place on the disk once.
  Result<void> share(const store::LayerRecord& record) {
    SHEAF_TRY_ASSIGN(const auto same, m_store.find(record.content_key));
    if (same) { // the commit throws this tree away
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(m_staging.file("layer/inventory")));
    SHEAF_TRY_ASSIGN(const auto donors, m_store.relatives(m_plan.name));
    SHEAF_TRY(share_files(tree(), inventory, donors, m_staging.file("shared-file")));
    return {};
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
  bool m_has_lists = false; ///< package lists of a generation of its own are in lists()
};

} // namespace

Result<os::FileLock> LayerBuilder::wait_for_key(const std::string& name, const RecipeKey& key, std::stop_token stop) {
  return store::wait_for_key(m_store, key.hex(), stop, [&] {
    m_events.emit({EventKind::note, "layer " + name, "another sheaf is building this layer; waiting for it"});
  });
}

void LayerBuilder::tell_of_damage() {
  for (const auto& path : m_store.take_damaged()) {
    m_events.emit(
        {EventKind::warning, "store", fmt::format("the layer at '{}' is damaged: it counts as missing", path)});
  }
}

/// The content that a lock file names goes before what the recipe gave here.
Result<std::optional<store::StoredLayer>> LayerBuilder::look_up(const plan::LayerPlan& plan, const RecipeKey& key) {
  const bool is_locked = plan.locked && plan.locked->recipe == key;
  if (is_locked) {
    SHEAF_TRY_ASSIGN(auto layer, m_store.find(plan.locked->content));
    if (layer) {
      return layer;
    }
  }
  SHEAF_TRY_ASSIGN(auto layer, m_store.find(key));
  tell_of_damage();
  const bool is_other = layer && is_locked && plan.locked->is_strict;
  return is_other ? std::optional<store::StoredLayer>() : std::move(layer);
}

Result<void> LayerBuilder::compare_with_lock(const plan::LayerPlan& plan, const RecipeKey& key,
                                             const store::StoredLayer& layer) {
  if (!plan.locked || plan.locked->recipe != key || plan.locked->content == layer.record.content_key) {
    return {};
  }
  if (plan.locked->is_strict) {
    return lock_error(plan, layer.record.content_key);
  }
  m_events.emit(
      {EventKind::warning, "", lock_error(plan, layer.record.content_key).message() + "; 'sheaf lock' accepts that"});
  return {};
}

Result<store::StoredLayer> LayerBuilder::build(const plan::LayerPlan& plan,
                                               const std::vector<store::StoredLayer>& closure, std::stop_token stop) {
  const auto subject = "layer " + plan.name;
  const auto key = key_of(plan, closure);
  SHEAF_TRY_ASSIGN(auto found, look_up(plan, key));
  if (!found) {
    SHEAF_TRY_ASSIGN(const auto lock, wait_for_key(plan.name, key, stop));
    SHEAF_TRY_ASSIGN(found, look_up(plan, key));
    if (!found) {
      return make(plan, key, closure, stop);
    }
    m_events.emit({EventKind::note, subject, "built by another sheaf meanwhile"});
  }
  SHEAF_TRY(compare_with_lock(plan, key, *found));
  m_events.emit({EventKind::cached, subject, "unchanged"});
  return std::move(*found);
}

/// Fetches the layer or builds it.
Result<store::StoredLayer> LayerBuilder::make(const plan::LayerPlan& plan, const RecipeKey& key,
                                              const std::vector<store::StoredLayer>& closure,
                                              const std::stop_token& stop) {
  const auto subject = "layer " + plan.name;
  m_events.emit({EventKind::begin, subject, plan.reason});
  const auto start = Clock::now();
  if (auto fetched = m_cache.fetch ? m_cache.fetch(key, plan.name, stop) : std::nullopt) {
    m_events.emit({EventKind::end, subject, fmt::format("fetched, {}", human_bytes(fetched->record.bytes)), 0, 0,
                   milliseconds_since(start)});
    SHEAF_TRY(compare_with_lock(plan, key, *fetched));
    return std::move(*fetched);
  }
  auto built = build_new(plan, key, closure, stop).context(fmt::format("building layer '{}'", plan.name));
  tell_of_damage();
  if (!built) {
    m_events.emit({EventKind::fail, subject, built.error().summary(), 0, 0, milliseconds_since(start)});
    return built;
  }
  const auto& record = built->record;
  m_events.emit({EventKind::end, subject, fmt::format("{}, {} files", human_bytes(record.bytes), record.files), 0, 0,
                 milliseconds_since(start)});
  SHEAF_TRY(compare_with_lock(plan, key, *built));
  if (m_cache.offer) {
    m_cache.offer(*built, stop);
  }
  return built;
}

Result<store::StoredLayer> LayerBuilder::build_new(const plan::LayerPlan& plan, const RecipeKey& key,
                                                   const std::vector<store::StoredLayer>& closure,
                                                   std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  SHEAF_TRY_ASSIGN(const auto path, m_store.log_path(fmt::format("{}-{}.log", plan.name, key.short_hex())));
  SHEAF_TRY_ASSIGN(const auto log, BuildLog::open(path, "layer " + plan.name, m_events));
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
  SHEAF_TRY_ASSIGN(const auto path, m_store.log_path(plan.name + "-verify.log"));
  SHEAF_TRY_ASSIGN(const auto log, BuildLog::open(path, "layer " + plan.name, m_events));
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
