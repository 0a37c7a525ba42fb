// SPDX-License-Identifier: Apache-2.0
#pragma once

// Refreshes the pinned downloads of a layer: asks upstream, then writes `downloads.yml`. A built-in layer is copied to
// the user's layers, where the copy takes its place.

#include "app/project.hpp"
#include "app/upstream.hpp"
#include "base/event.hpp"
#include "catalogue/artefact.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

struct ArtefactUpdate {
  std::string name;
  catalogue::Pin before;
  catalogue::Pin after;
  bool is_changed() const { return before.version != after.version || before.sha256 != after.sha256; }
};

struct LayerUpdate {
  std::string layer;
  /// Absolute: the file that has the new pins, or would have them.
  std::string path;
  /// The file is part of a copy that takes the built-in layer's place.
  bool is_copy = false;
  /// In the order of the file.
  std::vector<ArtefactUpdate> artefacts;
  bool is_changed() const;
};

/// What upstream has for the layer. `invalid` if it downloads nothing. If some downloads cannot be refreshed, each of
/// them is a warning, unless it is the only one, which is the error.
Result<LayerUpdate> find_update(const Project& project, const catalogue::LayerDefinition& layer, Upstream& upstream,
                                EventSink& events);

/// Writes what changed. Readers see the old or the new.
Result<void> write_update(const catalogue::LayerDefinition& layer, const LayerUpdate& update);

} // namespace sheaf::app
