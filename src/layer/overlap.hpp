// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which paths more than one layer touches, and what that means: found from inventories alone, before anything is
// mounted. Pure.

#include "layer/inventory.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sheaf::layer {

/// One layer as the overlap check sees it.
struct LayerPaths {
  std::string name;
  /// Names of all layers it was built on: what it does to their paths was done on purpose, in sequence.
  std::set<std::string> needs;
  /// Sorted by path, as split_inventory gives them.
  std::vector<InventoryLine> lines;
};

/// Two layers, neither built on the other, that want different things at one path.
struct PathConflict {
  std::string path;
  std::string first;
  std::string second;
  /// "contents", "type", "mode or owner", "deleted by one".
  std::string what;
};

/// A directory whose mode or owner one layer changed while another, mounted above it, merely has it.
struct DirectoryFix {
  Entry wanted;
};

struct Overlaps {
  std::vector<PathConflict> conflicts;
  std::vector<DirectoryFix> fixes;
  /// Paths in several layers with nothing to decide.
  std::size_t harmless = 0;
};

/// The directory at a root-relative path in the base, decoded; nothing if there is none.
using BaseDirectory = std::function<std::optional<Entry>(const std::string& path)>;

/// `layers` in canonical order. `corrupt` if an inventory line does not decode.
Result<Overlaps> find_overlaps(const std::vector<LayerPaths>& layers, const BaseDirectory& base);

} // namespace sheaf::layer
