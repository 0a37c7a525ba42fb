// SPDX-License-Identifier: Apache-2.0
#pragma once

// Joins built layers into one environment: finds or makes their join layer and says which trees to mount. The meaning
// is in join/; this is its disk side.

#include "base/event.hpp"
#include "builder/join_findings.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// A root file system ready to be mounted, or the reasons why there is none.
struct Composition {
  /// Bottom first: base, layers, join layer.
  std::vector<std::string> lowers;
  /// The join layer's folder in the store; empty if nothing had to be merged.
  std::string join;
  /// True if the join layer was there already.
  bool reused = false;
  /// If there are any, the layers cannot be joined as they are and there is no join layer.
  std::vector<LayerConflict> conflicts;
};

class Composer {
public:
  /// `runtime` runs the tools that make generated files.
  Composer(store::Store& store, sandbox::Runtime& runtime, EventSink& events)
      : m_store(store), m_runtime(runtime), m_events(events) {}

  /// `layers` in canonical order, the base first. Conflicts are part of the result.
  Result<Composition> compose(const std::vector<store::StoredLayer>& layers, std::stop_token stop = {});

private:
  Result<std::string> make_join(const std::vector<store::StoredLayer>& layers, const JoinFindings& findings,
                                const Digest& key, std::stop_token stop);

  store::Store& m_store;
  sandbox::Runtime& m_runtime;
  EventSink& m_events;
};

} // namespace sheaf::builder
