// SPDX-License-Identifier: Apache-2.0
#pragma once

// How plan, why and layer diff write what changed of a layer.

#include "app/layer_changes.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace sheaf::cli {

/// [{"input", "name", "before", "after"}]
inline nlohmann::json to_json(const std::vector<app::LayerChange>& changes) {
  auto json = nlohmann::json::array();
  for (const auto& change : changes) {
    json.push_back(
        {{"input", change.input}, {"name", change.name}, {"before", change.before}, {"after", change.after}});
  }
  return json;
}

} // namespace sheaf::cli
