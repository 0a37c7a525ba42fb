// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers built anew although their definitions did not change: those that follow a moving upstream, with its newest
// version; any other from what its sources give now.

#include "app/build_stack.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

struct RefreshRequest {
  /// Empty: all volatile layers of the project's stack.
  std::vector<std::string> layers;
  /// Every layer of the stack, the base first.
  bool everything = false;
};

struct Refreshed {
  std::string layer;
  /// As far as they are known; empty where a layer has none.
  std::string old_version;
  std::string new_version;
  /// False: it was the newest already, and nothing was run.
  bool is_rebuilt = false;
  /// The content is another one than before; true for a layer that was not there.
  bool is_changed = false;
};

/// Builds the layers and, when all of them are there, keeps what was settled about them: in sheaf.lock if there is one,
/// else in the store. Other layers are built as far as these need them. `not_found` for an unknown layer; `invalid` if
/// the project refuses to differ from its lock file.
Result<std::vector<Refreshed>> refresh(const Choices& choices, const RefreshRequest& request, const Session& session);

/// The same, for whoever holds the project's lock already.
Result<std::vector<Refreshed>> refresh_alone(const Choices& choices, const RefreshRequest& request,
                                             const Session& session);

/// One line: "codex 0.41.0 -> 0.42.0".
std::string describe(const Refreshed& refreshed);

} // namespace sheaf::app
