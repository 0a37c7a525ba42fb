// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the layers asked for to the stack: closed over needs, in one canonical order, with the reason for each choice.
// Pure; used by `app/` and read by `plan/`.

#include "base/result.hpp"
#include "catalogue/catalogue.hpp"

#include <string>
#include <vector>

namespace sheaf::resolve {

struct Wanted {
  std::string layer;
  /// For people: "detected: pyproject.toml", "named in sheaf.yml", "--agents".
  std::string reason;
};

/// What was asked for, in any order, repeats allowed.
struct Selection {
  /// A layer of kind base.
  std::string base;
  std::vector<Wanted> wanted;
};

struct StackEntry {
  /// Belongs to the catalogue.
  const catalogue::LayerDefinition* layer = nullptr;
  /// The direct needs but the base, sorted.
  std::vector<std::string> needs;
  /// The reasons it was asked for, else "needed by …".
  std::string reason;
  bool operator==(const StackEntry&) const = default;
};

/// The base first; then each layer behind its `needs` and `after`, and where that leaves a choice by kind (toolchain,
/// tool, agent, project) and name.
struct Stack {
  std::vector<StackEntry> entries;
  bool operator==(const Stack&) const = default;
};

/// The same stack for the same set of wanted layers. `not_found` for an unknown name; `invalid` for a cycle, a declared
/// conflict, or a base that is none or is not the selected one.
Result<Stack> resolve(const catalogue::Catalogue& catalogue, const Selection& selection);

/// All that `entry`, one of `stack` but not its base, is built on: the base, then what it needs, directly or not, in
/// canonical order as if nothing else were in the stack. What else is selected leaves no trace in it.
std::vector<std::string> closure_of(const Stack& stack, const StackEntry& entry);

/// One layer is built on another that it does not need, because the two cannot be joined otherwise.
struct Edge {
  std::string earlier;
  std::string later;
  /// For people, for example "both change '/etc/motd'".
  std::string reason;
};

/// `stack` with the later layer of each edge needing the earlier one. The order stays, so both must be in it in this
/// order.
Stack with_edges(Stack stack, const std::vector<Edge>& edges);

} // namespace sheaf::resolve
