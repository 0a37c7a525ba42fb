// SPDX-License-Identifier: Apache-2.0
#pragma once

// What joining a stack comes to, found from inventories and facts alone, before anything is mounted or written: the
// merged files and links, and the conflicts, each with where the contents come from and what can be done.

#include "base/error.hpp"
#include "base/result.hpp"
#include "join/join.hpp"
#include "layer/overlap.hpp"
#include "store/store.hpp"

#include <map>
#include <string>
#include <vector>

namespace sheaf::builder {

/// Two layers that cannot be joined as they are.
struct LayerConflict {
  /// The earlier one in canonical order; empty if it is the base that the later one does not fit.
  std::string first;
  std::string second;
  /// An absolute path, or "record in /file".
  std::string subject;
  /// One line.
  std::string message;
  /// What to try, the default first: building `second` on top of `first`.
  std::vector<std::string> remedies;
};

/// How many records a layer changed in one file of shared state.
struct RecordOverlap {
  /// Absolute.
  std::string file;
  /// Name of the join driver.
  std::string driver;
  /// Layer to number of changed records.
  std::map<std::string, std::size_t> changes;
};

struct JoinFindings {
  std::vector<LayerConflict> conflicts;
  std::vector<layer::DirectoryFix> fixes;
  /// Root-relative path to text: merged shared state, and texts below etc/ that several layers edited.
  std::map<std::string, std::string, std::less<>> files;
  std::map<std::string, join::Link, std::less<>> links;
  /// Texts of the layers' inventories, in their order; empty for the base.
  std::vector<std::string> inventories;
  /// Every path in several layers; empty unless asked for.
  std::vector<layer::Overlap> overlaps;
  /// Shared state that some layer changed; empty unless asked for.
  std::vector<RecordOverlap> records;
};

/// `layers` in canonical order, the base first. Conflicts are findings, not errors; `invalid` for layers of different
/// bases, `corrupt` for damaged inventories or facts.
Result<JoinFindings> examine_join(const std::vector<store::StoredLayer>& layers,
                                  layer::Detail detail = layer::Detail::conflicts_only);

/// The error that refuses to join, listing the first ten conflicts with their remedies.
Error conflict_error(const std::vector<LayerConflict>& conflicts);

/// The installed package of `layer` that lists the absolute `path` among its files; empty if none does.
std::string package_of(const store::StoredLayer& layer, const std::string& path);

} // namespace sheaf::builder
