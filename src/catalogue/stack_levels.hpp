// SPDX-License-Identifier: Apache-2.0
#pragma once

// The levels of `stacks:` in the settings, read and checked. Used by project_config.cpp.

#include "catalogue/project_config.hpp"
#include "catalogue/yaml_reader.hpp"

#include <string>
#include <vector>

namespace sheaf::catalogue {

struct ReadLevel {
  StackLevel level;
  /// Where it is written.
  Span span;
};

/// The levels of a list, in its order. Names that are none, or that an earlier level has, are reported.
std::vector<ReadLevel> read_levels(const YamlNode& node, const ReadContext& context);

/// The key `agents` of `map`, whose value is `node`: "a,b" of a text or of a list; "none" for an empty one.
std::string read_selection(MapReader& map, const YamlNode& node);

} // namespace sheaf::catalogue
