// SPDX-License-Identifier: Apache-2.0
#pragma once

// Joins built layers into one environment: finds or makes their join layer and says which trees to mount. Also splits
// the shared state that a finished build changed into facts. The meaning is in join/; this is its disk side.

#include "base/event.hpp"
#include "layer/capture.hpp"
#include "store/store.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::builder {

/// A root file system ready to be mounted.
struct Composition {
  /// Bottom first: base, layers, join layer.
  std::vector<std::string> lowers;
  /// The join layer's folder in the store; empty if nothing had to be merged.
  std::string join;
  /// True if the join layer was there already.
  bool reused = false;
};

class Composer {
public:
  Composer(store::Store& store, EventSink& events) : m_store(store), m_events(events) {}

  /// `layers` in canonical order, the base first. `conflict` if two layers cannot be joined.
  Result<Composition> compose(const std::vector<store::StoredLayer>& layers);

private:
  Result<std::string> make_join(const std::vector<store::StoredLayer>& layers, const Digest& key);

  store::Store& m_store;
  EventSink& m_events;
};

/// True for files that some join driver merges.
bool is_shared_state(std::string_view path);

/// The text of the facts in `shared_state`, as captured with the directory `tree`, against the view the layer was built
/// on.
Result<std::string> facts_text(const std::map<std::string, std::optional<std::string>>& shared_state,
                               const layer::ParentView& parent, const std::string& tree);

} // namespace sheaf::builder
