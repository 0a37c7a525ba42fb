// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which paths more than one layer touches, and what that means: found from inventories alone, before anything is
// mounted. Pure.

#include "layer/inventory.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::layer {

/// One layer as the overlap check sees it.
struct LayerPaths {
  std::string name;
  /// Names of all layers it was built on: what it does to their paths was done on purpose, in sequence.
  std::set<std::string> needs;
  /// Names of the layers whose files it declares to replace.
  std::set<std::string> replaces;
  /// Sorted by path, as split_inventory gives them.
  std::vector<InventoryLine> lines;
};

/// How the layers that touch one path go together (JOIN-4).
enum class OverlapClass {
  identical,  ///< the same entry in all of them, times apart
  directory,  ///< a directory they share; who changed its mode or owner wins over who merely has it
  sequential, ///< one was built on the other
  replaced,   ///< one declares that it replaces the other
  merged,     ///< decided by the join: merged shared state
  conflict,
};
std::string_view to_string(OverlapClass kind);

/// A path in several layers.
struct Overlap {
  /// Absolute.
  std::string path;
  OverlapClass kind = OverlapClass::identical;
  /// In canonical order.
  std::vector<std::string> layers;
};

/// Two layers, neither built on the other, that want different things at one path.
struct PathConflict {
  /// Absolute.
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
  /// In the order of paths; all pairs of one path stand together.
  std::vector<PathConflict> conflicts;
  std::vector<DirectoryFix> fixes;
  /// Paths in several layers with nothing to decide.
  std::size_t harmless = 0;
  /// Every path in several layers, in order; empty unless asked for.
  std::vector<Overlap> all;
};

/// What find_overlaps asks its caller; every function may be empty.
struct OverlapQuestions {
  /// The directory at a root-relative path in the base, decoded; nothing if there is none.
  std::function<std::optional<Entry>(const std::string& path)> base_directory;
  /// Does the join decide about this root-relative path?
  std::function<bool(const std::string& path)> is_merged;
};

enum class Detail { conflicts_only, every_overlap };

/// `layers` in canonical order. `corrupt` if an inventory line does not decode.
Result<Overlaps> find_overlaps(const std::vector<LayerPaths>& layers, const OverlapQuestions& questions,
                               Detail detail = Detail::conflicts_only);

} // namespace sheaf::layer
