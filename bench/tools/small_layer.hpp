// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers of a few small files that pass for real ones: captured, with inventory, facts and keys as a build makes them.

#include "store/store.hpp"

#include <optional>

namespace sheaf::bench {

/// Writes tree, inventory and facts of layer number `number`, named "small-NUMBER", into the folder "layer" of
/// `staging`, and returns what is to be committed with them. With `base` it is a layer on that one, else a base.
Result<store::LayerRecord> make_small_layer(const store::Staging& staging,
                                            const std::optional<store::StoredLayer>& base, int number);

/// The record of another recipe that gave the same content.
store::LayerRecord with_other_recipe(store::LayerRecord record, int number);

} // namespace sheaf::bench
