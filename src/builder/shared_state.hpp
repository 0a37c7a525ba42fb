// SPDX-License-Identifier: Apache-2.0
#pragma once

// The disk side of facts: reads shared state of a root for the join's drivers, and splits what a finished build changed
// into facts.

#include "join/facts.hpp"
#include "layer/capture.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::builder {

/// True for files that some join driver merges.
bool is_shared_state(std::string_view path);

/// The text of `file` in `root` for its driver: with the target of its state link, if the driver has one. Nothing if
/// there is no such file.
Result<std::optional<std::string>> read_state(const layer::ParentView& root, const std::string& file);

/// The facts in `shared_state`, as captured from `tree`, against the view the layer was built on.
Result<join::Facts> facts_of(const std::map<std::string, std::optional<std::string>>& shared_state,
                             const layer::ParentView& tree, const layer::ParentView& parent);

} // namespace sheaf::builder
