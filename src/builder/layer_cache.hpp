// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers that others built: how a builder asks for one, and tells of one that it built. Who answers is the caller's
// word.

#include "store/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace sheaf::builder {

/// What a cache says of a key without sending the layer.
struct Peeked {
  /// Nothing if it has none, or could not be asked.
  std::optional<store::LayerRecord> record;
  /// To be transferred.
  std::uint64_t bytes = 0;
  /// Who has it, or the first that could not be asked.
  std::string place;
  /// Why it could not be asked; empty if it could.
  std::string trouble;
  /// It answered, and refused.
  bool is_refused = false;
};

/// An empty function means that there is no such thing here. All are called from several threads and never fail a
/// build.
struct LayerCache {
  /// Brings the layer of this key into the store; nothing if nobody has it.
  std::function<std::optional<store::StoredLayer>(const RecipeKey&, const std::string& name, std::stop_token)> fetch;
  std::function<Peeked(const RecipeKey&, std::stop_token)> peek;
  /// A layer that was built now.
  std::function<void(const store::StoredLayer&, std::stop_token)> offer;
};

} // namespace sheaf::builder
