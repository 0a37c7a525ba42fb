// SPDX-License-Identifier: Apache-2.0
#pragma once

// What differs between two builds: of one layer at two times, or of two layers. Each is taken alone, without what it
// was built on.

#include "app/layer_changes.hpp"
#include "store/store.hpp"

#include <string>
#include <vector>

#include "sbom/image_diff.hpp"

namespace sheaf::app {

/// A build by what a user writes: a layer's name for its newest build, "NAME~2" for the second before that, or the
/// beginning of a content key (8 hex digits or more). `not_found` if there is none; `invalid` for a beginning that
/// several keys have.
Result<store::StoredLayer> find_build(const std::string& text, store::Store& store);

struct LayerDiff {
  store::LayerRecord before;
  store::LayerRecord after;
  /// What made the two differ: the layer's own recipe first.
  std::vector<LayerChange> changes;
  /// Packages and files that the layer itself brings.
  sbom::ImageDiff contents;
};

Result<LayerDiff> diff_layers(const store::StoredLayer& before, const store::StoredLayer& after);

} // namespace sheaf::app
