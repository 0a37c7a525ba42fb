// SPDX-License-Identifier: Apache-2.0
#pragma once

// From what the steps of a layer wrote to what is kept of it: the canonical tree, its inventory, its facts, its record.

#include "builder/composer.hpp"
#include "plan/layer_plan.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sheaf::builder {

/// Content keys by name.
std::map<std::string, ContentKey> contents_of(const std::vector<store::StoredLayer>& layers);

/// Makes "tree" in `folder` canonical, in place, and writes "inventory" and "facts" beside it. No file is younger than
/// `epoch`, seconds since 1970. `closure` and `below` are what the layer was built on. The record lacks how long the
/// build took. `conflict` if the layer deletes what it may not.
Result<store::LayerRecord> capture_layer(const plan::LayerPlan& plan, const RecipeKey& key, const std::string& folder,
                                         std::int64_t epoch, const std::vector<store::StoredLayer>& closure,
                                         const Composition& below);

} // namespace sheaf::builder
