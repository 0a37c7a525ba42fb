// SPDX-License-Identifier: Apache-2.0
#pragma once

// The layers of one catalogue folder on disk: `~/.config/sheaf/layers` or a project's `.sheaf/layers`.

#include "base/diagnostics.hpp"
#include "base/result.hpp"
#include "catalogue/layer_definition.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

struct LayerFolders {
  /// Those without a mistake, in the order of their names.
  std::vector<catalogue::LayerDefinition> layers;
  /// Every path that was looked at, present or not.
  std::vector<std::string> inputs;
  Diagnostics diagnostics;
};

/// Every folder in `folder` is a layer; so is every file Containerfile.NAME. None if there is no such folder. Paths
/// below `root` are shown relative to it. `invalid` for what is no plain file, or too many of them.
Result<LayerFolders> read_layer_folders(const std::string& folder, catalogue::Origin origin, const std::string& root);

/// What the file says; nothing if it is not there. `invalid` for what is no plain file: a pipe would never end.
Result<std::optional<std::string>> read_plain_file(const std::string& path);

/// Shows a path as the user would write it.
std::string display_path(const std::string& path, const std::string& root);

} // namespace sheaf::app
