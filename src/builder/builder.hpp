// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builds all layers of a plan, as many at a time as their needs allow. The failure of one leaves the others' results.

#include "base/event.hpp"
#include "builder/downloads.hpp"
#include "builder/join_findings.hpp"
#include "builder/layer_cache.hpp"
#include "plan/layer_plan.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <vector>

namespace sheaf::builder {

struct BuildOptions {
  /// Layers built at the same time; at least 1.
  unsigned jobs = 4;
  /// For FETCH and ADD.
  Downloads downloads;
  LayerCache cache = {};
};

struct BuildOutcome {
  /// In the order of the plans.
  std::vector<store::StoredLayer> layers;
  /// If there are any, some layer needs others that cannot be joined, `layers` is empty, and what could be built is in
  /// the store.
  std::vector<LayerConflict> conflicts;
};

/// Builds the layers of `plans`, which stand in canonical order. If some fail, the error of the first in order; layers
/// that need a failed one are not started, all others are finished and kept. A stop request ends everything that runs.
Result<BuildOutcome> build_layers(const std::vector<plan::LayerPlan>& plans, store::Store& store,
                                  sandbox::Runtime& runtime, EventSink& events, const BuildOptions& options,
                                  std::stop_token stop);

} // namespace sheaf::builder
