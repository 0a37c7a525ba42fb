// SPDX-License-Identifier: Apache-2.0
#pragma once

// The layers that are compiled into the program. The table is generated from `catalogue-data/` by
// `tools/embed_data.py`; `app/` puts the layers below those of the user and the project.

#include "catalogue/layer_definition.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

struct EmbeddedFile {
  /// Relative to `catalogue-data/`, for example "python/layer.yml".
  std::string_view path;
  std::string_view contents;
};

/// Sorted by path.
std::span<const EmbeddedFile> embedded_files();

/// One layer per folder of `catalogue-data/`. A mistake in them is one of ours and is reported like any other.
std::vector<LayerDefinition> builtin_layers(Diagnostics& diagnostics);

} // namespace sheaf::catalogue
