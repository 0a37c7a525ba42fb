// SPDX-License-Identifier: Apache-2.0
#pragma once

// A layer may delete only what it made itself, what it declares in `replaces`, and what a package manager removed or
// moved for it (JOIN-5): else selecting a layer would take away from others what nobody expects it to.

#include "base/result.hpp"
#include "join/facts.hpp"
#include "layer/inventory.hpp"
#include "plan/layer_plan.hpp"
#include "store/store.hpp"

#include <vector>

namespace sheaf::builder {

/// `invalid`, naming up to five paths and whose they are, if the layer deletes what it may not; what the package
/// manager and update-alternatives take away as part of their own changes is allowed. `closure` are the layers it was
/// built on, the base first.
Result<void> check_deletions(const plan::LayerPlan& plan, const layer::Inventory& inventory, const join::Facts& facts,
                             const std::vector<store::StoredLayer>& closure);

} // namespace sheaf::builder
