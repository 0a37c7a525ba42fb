// SPDX-License-Identifier: Apache-2.0
#pragma once

// How an image was made, as an in-toto statement with a SLSA provenance. Pure.
// Source: https://in-toto.io/Statement/v1, https://slsa.dev/spec/v1.0/provenance.

#include "base/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sbom/document.hpp"

namespace sheaf::sbom {

/// How sheaf builds, as `buildType` names it; a new number when what the parameters mean changes.
inline constexpr std::string_view k_build_type = "urn:sheaf:build:1";

/// A layer that the image is made of.
struct LayerOrigin {
  std::string name;
  ContentKey content;
  /// Nothing for layers that were not built from a recipe.
  std::optional<RecipeKey> recipe;
};

/// Anything else that was read: the base image, a context, a download.
struct Origin {
  /// "base image"
  std::string name;
  std::string uri;
  /// Hex by algorithm: "sha256", "gitCommit".
  std::map<std::string, std::string> digests;
};

struct BuildFacts {
  /// What the user asked for: "command": "build", "target": "app".
  std::map<std::string, std::string> parameters;
  /// Bottom first.
  std::vector<LayerOrigin> layers;
  std::optional<Origin> base;
  std::vector<Origin> sources;
  std::string tool_version;
  /// Nothing: made of the facts, so that the same build has the same one.
  std::optional<std::string> invocation;
  /// Seconds since 1970; without them the text says nothing of time.
  std::optional<std::int64_t> started;
  std::optional<std::int64_t> finished;
};

/// The statement as JSON. Equal arguments give equal bytes.
std::string provenance_text(const Subject& subject, const BuildFacts& facts);

} // namespace sheaf::sbom
