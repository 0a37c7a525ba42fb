// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builds all layers of a stack and joins them. Where two cannot be joined, the later one is built again on top of the
// earlier one, which is what a sequential build would have done, or the user is told what to do (`--strict`).

#include "app/project_plan.hpp"
#include "base/event.hpp"
#include "builder/composer.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <vector>

namespace sheaf::app {

struct Session {
  store::Store& store;
  EventSink& events;
  std::stop_token stop;
  unsigned jobs = 4;
};

enum class OnConflict {
  rebuild, ///< build the later layer on top of the earlier one
  refuse,
};

/// Layers built and joined, ready to be mounted.
struct BuiltStack {
  /// With the edges that conflicts called for; same order as `layers`.
  std::vector<plan::LayerPlan> plans;
  std::vector<store::StoredLayer> layers;
  builder::Composition composition;
  /// Those that conflicts called for.
  std::vector<resolve::Edge> edges;
};

/// `conflict` if layers cannot be joined and `on_conflict` refuses, or if building one on the other does not help.
Result<BuiltStack> build_stack(const Project& project, const Wanted& wanted, Session session, OnConflict on_conflict);

} // namespace sheaf::app
