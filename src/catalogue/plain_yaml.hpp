// SPDX-License-Identifier: Apache-2.0
#pragma once

// A quick reader for the YAML that nearly all definitions are written in: maps and lists by indentation, one line per
// scalar, flow lists and maps within a line, quotes without escapes, no text beyond ASCII. What it reads it reads as
// yaml-cpp does (compared by tests on generated texts); all else it leaves to yaml-cpp, which takes forty times as
// long.

#include "base/source_text.hpp"
#include "catalogue/yaml_node.hpp"

#include <optional>

namespace sheaf::catalogue {

/// Nothing if the text is not that plain, or no YAML: it says nothing about mistakes.
std::optional<YamlNode> parse_plain_yaml(const SourceText& source);

} // namespace sheaf::catalogue
