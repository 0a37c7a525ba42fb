// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a layer is in the stack, and why it is, was or will be built: `sheaf why`.

#include "app/layer_states.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

struct Explanation {
  /// As `sheaf plan` has it; the stack is the project's, or, for a layer that is not in it, that of the layer alone.
  PlannedLayer line;
  bool is_in_stack = true;
  /// The newest build that is to be explained: the one that is used. Nothing if the layer is not built as it is now.
  std::optional<store::LayerRecord> build;
  /// What `changes` are changes of; nothing if there was no build before.
  std::optional<store::LayerRecord> before;
  /// Of what is planned, or of `build`, against `before`: its own, then those of layers below.
  std::vector<LayerChange> changes;
};

/// `not_found` if there is no such layer.
Result<Explanation> explain(const Project& project, const std::string& layer, const Session& session);

} // namespace sheaf::app
