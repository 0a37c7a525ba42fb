// SPDX-License-Identifier: Apache-2.0
#pragma once

// Canonical commit: turns the upper directory of a finished build into a tree that depends on nothing but its meaning.
// Works in place. Drops what the capture table names, hands shared state to the caller, undoes what overlayfs and
// copy-up left behind, makes deletions explicit and local, clamps times, and lists the result.

#include "base/result.hpp"
#include "layer/capture_rules.hpp"
#include "layer/inventory.hpp"
#include "layer/parent_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::layer {

struct CaptureOptions {
  /// Younger times become this one; seconds since 1970.
  std::int64_t epoch = 0;
  /// Is the root-relative path shared state, which leaves the tree? May be empty.
  std::function<bool(std::string_view)> is_shared_state;
  /// Is the entry made anew for every composition, so that no layer keeps it? The second argument is the text of a
  /// symlink; for a deletion both are of what the parent has there. May be empty.
  std::function<bool(const std::string&, const std::optional<std::string>&)> is_generated;
  /// What is dropped.
  CaptureRules rules = CaptureRules();
};

/// How often one rule dropped something. A directory that goes with all its contents counts once.
struct Dropped {
  std::string kind;
  int entries = 0;
  bool operator==(const Dropped&) const = default;
};

struct Captured {
  Inventory inventory;
  /// Shared state found in the upper directory: path to content; nothing for a file that the layer deleted.
  std::map<std::string, std::optional<std::string>> shared_state;
  /// By the path of the rule; "" stands for sockets.
  std::map<std::string, Dropped> dropped;
};

/// Captures the directory `upper` against `parent`. On an error the directory is in between and must be thrown away.
Result<Captured> capture(const std::string& upper, const ParentView& parent, const CaptureOptions& options);

} // namespace sheaf::layer
