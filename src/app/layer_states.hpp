// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is there of each layer of a plan, why not, and what is done about it. Nothing is built or fetched.

#include "app/build_stack.hpp"
#include "app/layer_changes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// Source: spec.md, KEY-2.
enum class LayerState {
  reused,       ///< built before, nothing changed
  missing,      ///< no layer of this name was ever built here
  stale_self,   ///< its own recipe changed
  stale_parent, ///< only what it is built on changed, or is to be built
  expired,      ///< a volatile layer that is older than the settings allow
  corrupt,      ///< built here, but damaged or lost since
  unreachable,  ///< not here, and a cache that may have it does not answer
  unauthorised, ///< not here, and a cache that may have it refuses
};
/// "reused", "stale-self", …
std::string_view to_string(LayerState state);

enum class Action { reuse, fetch, build };
std::string_view to_string(Action action);

/// One line of `sheaf plan`.
struct PlannedLayer {
  std::string name;
  std::string kind;
  /// Why it is in the stack.
  std::string reason;
  LayerState state = LayerState::missing;
  Action action = Action::build;
  /// Why it is in that state.
  std::string why;
  /// All layers it is built on, the base first.
  std::vector<std::string> closure;
  /// The one of them it stands on in a drawing of the stack; empty for the base.
  std::string parent;
  /// Empty if it is not known before its needs are built.
  std::string recipe_key;
  /// Of the stored layer, or to be fetched; nothing if neither is known.
  std::optional<std::uint64_t> bytes;
  /// How long the last build of this name took here, milliseconds.
  std::optional<std::int64_t> expected_ms;
  /// Against the build that it is compared with; empty if it is reused or there is none.
  std::vector<LayerChange> changes;
};

/// May caches be asked?
enum class Ask { nobody, caches };

/// The state of each planned layer, in the order of the plans.
Result<std::vector<PlannedLayer>> examine(const Wanted& wanted, const Project& project, const Session& session,
                                          Ask ask = Ask::nobody);

/// When a volatile layer of this stack has to be built anew: `refresh` of the settings after it was built or asked
/// about. Seconds since 1970; nothing if it never has. A locked project's never have.
std::optional<std::int64_t> expiry_of(const catalogue::LayerDefinition& layer, const store::LayerRecord& record,
                                      const Wanted& wanted, const Project& project);

/// Whose layer it is: see store::Recipe.
std::string owner_of(const store::LayerRecord& record);

/// The build of `plan` that is most like it: one of the same recipe but for what lies below, else the newest of its
/// name. Nothing if there is none.
Result<std::optional<store::StoredLayer>> likest_build(const plan::LayerPlan& plan, store::Store& store);

} // namespace sheaf::app
