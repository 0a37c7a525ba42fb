// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is a layer the same when it is built again? What differs between two builds of it, and which step wrote that. The
// building is LayerBuilder::rebuild; this compares and attributes.

#include "base/result.hpp"
#include "plan/layer_plan.hpp"
#include "store/layer_record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::builder {

/// What is other than in the first build, besides that it is later.
struct RebuildConditions {
  /// libfaketime on this machine, by which the clock is set ahead; empty: there is none.
  std::string clock_shifter;
  std::string hostname = "verify-rebuild";
  unsigned processors = 1;
  /// Folder on another file system, whose directories list their names in another order; empty: the store's.
  std::string place;
};

/// Nanoseconds since 1970 by the wall clock.
using WallTime = std::int64_t;

/// A layer built again; its tree is gone.
struct Rebuilt {
  store::LayerRecord record;
  std::string inventory;
  std::string facts;
  /// When each step began, in order.
  std::vector<WallTime> step_starts;
  /// When each path of the tree was last changed, before capture touched it; whiteouts and databases included.
  std::map<std::string, WallTime> written;
};

/// Waits until the clock of file times has moved on, so that what happened before and what happens after the returned
/// time can be told apart by ctime. Takes some tens of milliseconds.
WallTime separate_steps();

/// The ctime of every path below `tree`, root-relative.
Result<std::map<std::string, WallTime>> change_times(const std::string& tree);

/// The step (from 0) during which `time` fell; nothing if it was before the first: the bootstrap of a base.
std::optional<std::size_t> step_at(WallTime time, const std::vector<WallTime>& step_starts);

/// One thing in which two builds of a layer differ.
struct BuildDifference {
  /// Root-relative. Of a fact: the file that holds the record.
  std::string path;
  /// Of a fact: the record.
  std::string key;
  /// For people: "contents", "mode 0644 before, 0600 now", "only in the stored layer".
  std::string what;
  /// The step (from 0) that wrote it last in the second build; nothing if no step did.
  std::optional<std::size_t> step;
  bool operator==(const BuildDifference&) const = default;
};

/// All differences: paths in order, directories behind all others, then facts. `corrupt` if a text cannot be parsed.
Result<std::vector<BuildDifference>> compare_builds(std::string_view stored_inventory, std::string_view stored_facts,
                                                    const Rebuilt& rebuilt);

} // namespace sheaf::builder
