// SPDX-License-Identifier: Apache-2.0
#pragma once

// A YAML document as a plain tree in which every key and value knows its place. Used by the readers of `layer.yml` and
// `sheaf.yml`, nobody else. It keeps scalars as written ("1.20" stays "1.20"); what they mean is the reader's business.

#include "base/diagnostics.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::catalogue {

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Span span;
  /// Of a scalar, without quotes.
  std::string text;
  /// Of a list.
  std::vector<YamlNode> items;
  /// Of a map, in the order written, no key twice.
  std::vector<YamlEntry> entries;
};

struct YamlEntry {
  std::string key;
  Span key_span;
  YamlNode value;
};

/// The one document in `source`; an empty file is a null node. Reports "yaml-syntax" and "duplicate-key" (the first
/// value stays). Nothing if the text cannot be read as YAML; aliases and further documents are mistakes too.
std::optional<YamlNode> parse_yaml(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics);

} // namespace sheaf::catalogue
