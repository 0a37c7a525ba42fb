// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builds one layer: finds it in the store by its recipe key, or runs its steps alone on what it needs and commits the
// result. One key builds once, also over several processes.

#include "base/event.hpp"
#include "builder/composer.hpp"
#include "builder/downloads.hpp"
#include "builder/layer_cache.hpp"
#include "builder/rebuild.hpp"
#include "plan/layer_plan.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"

#include <mutex>
#include <stop_token>
#include <vector>

namespace sheaf::builder {

class LayerBuilder {
public:
  LayerBuilder(store::Store& store, sandbox::Runtime& runtime, EventSink& events, Downloads downloads,
               LayerCache cache = {})
      : m_store(store),
        m_runtime(runtime),
        m_events(events),
        m_downloads(std::move(downloads)),
        m_cache(std::move(cache)),
        m_composer(store, runtime, events) {}

  /// `closure` holds the layers of plan.closure, in that order. Safe from several threads.
  Result<store::StoredLayer> build(const plan::LayerPlan& plan, const std::vector<store::StoredLayer>& closure,
                                   std::stop_token stop);

  /// The conflicts because of which builds failed with `conflict`: the layers they are built on cannot be joined. Each
  /// is given once.
  std::vector<LayerConflict> take_conflicts();
  /// Builds the layer once more, elsewhere and under other conditions, and throws the tree away: nothing of the store
  /// changes but its caches, logs and joins. For asking whether it comes out the same.
  Result<Rebuilt> rebuild(const plan::LayerPlan& plan, const std::vector<store::StoredLayer>& closure,
                          const RebuildConditions& conditions, std::stop_token stop);

private:
  Result<store::StoredLayer> build_new(const plan::LayerPlan& plan, const RecipeKey& key,
                                       const std::vector<store::StoredLayer>& closure, std::stop_token stop);
  void tell_of_damage();
  Result<std::optional<store::StoredLayer>> look_up(const plan::LayerPlan& plan, const RecipeKey& key);
  Result<store::StoredLayer> make(const plan::LayerPlan& plan, const RecipeKey& key,
                                  const std::vector<store::StoredLayer>& closure, const std::stop_token& stop);
  Result<void> compare_with_lock(const plan::LayerPlan& plan, const RecipeKey& key, const store::StoredLayer& layer);
  Result<os::FileLock> wait_for_key(const std::string& name, const RecipeKey& key, std::stop_token stop);

  store::Store& m_store;
  sandbox::Runtime& m_runtime;
  EventSink& m_events;
  Downloads m_downloads;
  LayerCache m_cache;
  Composer m_composer;
  std::mutex m_mutex; ///< guards m_conflicts
  std::vector<LayerConflict> m_conflicts;
};

} // namespace sheaf::builder
