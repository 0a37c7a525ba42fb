// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the store knows of a built layer besides its tree: the content of layer.json (docs/formats/store.md).

#include "base/config_delta.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::store {

/// What one rule of the capture table dropped from the layer.
struct DroppedEntries {
  /// As in CaptureRule; "" stands for sockets.
  std::string path;
  std::string kind;
  int entries = 0;
  bool operator==(const DroppedEntries&) const = default;
};

/// What a layer was made of, in words, so that `sheaf why` can say what changed. No part of any key.
struct Recipe {
  struct Instruction {
    /// On one line, as written.
    std::string text;
    /// Digest of all that decides its result: variables, user and folder, too.
    std::string digest;
    bool operator==(const Instruction&) const = default;
  };
  std::vector<Instruction> instructions;
  /// Digests of the layer's own files that instructions read, by path.
  std::map<std::string, std::string> files;
  /// Values of the layer's arguments, by name.
  std::map<std::string, std::string> arguments;
  /// Content keys of the layers it was built on, as hex, by name.
  std::map<std::string, std::string> needs;
  /// Whose definition it was: the digest of a project's path for its own layers, else empty. Other projects may have
  /// other layers of that name.
  std::string owner;
  bool operator==(const Recipe&) const = default;
};

struct LayerRecord {
  std::string name;
  std::string kind;
  RecipeKey recipe_key;
  ContentKey content_key;
  /// Names of the layers it was built on, base first.
  std::vector<std::string> needs;
  /// Names of the layers whose files it may replace or delete.
  std::vector<std::string> replaces;
  /// Content key of the base it was built on, as text: its package generation. Empty for a base.
  std::string base;
  ConfigDelta config;
  /// Seconds since 1970 that all younger times were clamped to.
  std::int64_t epoch = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::int64_t created = 0;
  std::int64_t build_ms = 0;
  /// The named inputs of the recipe key, so that `sheaf why` can say which one changed.
  std::map<std::string, std::string> inputs;
  /// By path of the rule; nothing if the record was written before this was recorded.
  std::optional<std::vector<DroppedEntries>> dropped;
  /// Nothing if the record was written before this was recorded.
  std::optional<Recipe> recipe;
  bool operator==(const LayerRecord&) const = default;
};

std::string serialise(const LayerRecord& record);
/// `corrupt` if the text is not a record.
Result<LayerRecord> parse_layer_record(std::string_view text);
/// Canonical text of a delta; part of the content key.
std::string serialise(const ConfigDelta& config);
/// Of a layer with these texts.
ContentKey content_key_of(const ConfigDelta& config, std::string_view inventory, std::string_view facts);

} // namespace sheaf::store
