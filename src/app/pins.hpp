// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was settled about layers that follow a moving upstream: which version the newest one is, and since when a layer
// is built anew. Kept by sheaf.lock for its project, else by the store for all projects.
// Why: docs/decisions/0025-versions-are-settled-outside-of-definitions.md.

#include "app/project.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sheaf::app {

struct Pin {
  /// Of the argument `version`; empty if it is not settled.
  std::string version;
  /// Seconds since 1970, part of the recipe key; 0 if it was never built anew on demand.
  std::int64_t refreshed = 0;
  /// When it was last asked whether there is something newer, seconds since 1970.
  std::int64_t checked = 0;
  bool operator==(const Pin&) const = default;
};
/// By the layer's name.
using Pins = std::map<std::string, Pin, std::less<>>;

/// The file in the store at `store_root`.
std::string pins_path(const std::string& store_root);

/// `corrupt` if it is not what `save_pins` writes.
Result<Pins> parse_pins(std::string_view text);

/// Those that count for the project. `corrupt` if the store's file cannot be read.
Result<Pins> pins_of(const Project& project, const store::Store& store);

/// Keeps `changed` in the store; the pins of other layers stay. A layer that a project defines itself is pinned for
/// that project only.
Result<void> save_pins(const Project& project, const Pins& changed, store::Store& store);

} // namespace sheaf::app
