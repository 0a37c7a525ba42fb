// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers that others built: how a builder asks for one, and tells of one that it built. Who answers is the caller's
// word.

#include "store/store.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace sheaf::builder {

/// An empty function means that there is no such thing here. Both are called from several threads and never fail a
/// build.
struct LayerCache {
  /// Brings the layer of this key into the store; nothing if nobody has it.
  std::function<std::optional<store::StoredLayer>(const RecipeKey&, const std::string& name, std::stop_token)> fetch;
  /// A layer that was built now.
  std::function<void(const store::StoredLayer&, std::stop_token)> offer;
};

} // namespace sheaf::builder
