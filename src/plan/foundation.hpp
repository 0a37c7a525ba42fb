// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the layers of a stack stand on: the image that the base is made of, if it is one, and the family of its
// distribution. Docs: docs/decisions/0017-a-base-may-be-an-image.md. Pure: the image is looked up by `app/`.

#include "base/diagnostics.hpp"
#include "catalogue/layer_definition.hpp"
#include "oci/image_config.hpp"
#include "plan/stage_setting.hpp"
#include "resolve/resolve.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::plan {

/// Chosen values of arguments: layer, then argument.
using ArgValues = std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

/// The image that a base is made of, as far as it is known.
struct BaseImage {
  /// As written: "debian:12".
  std::string name;
  /// "sha256:…" of its manifest, or the image's id if it has none: decides what the base becomes. Empty: the image is
  /// not in the store and its registry was not asked.
  std::string digest;
  oci::ImageConfig config;
  /// Paths of its trees, bottom first; empty if they are not in the store.
  std::vector<std::string> trees;
  /// Seconds since 1970; 0 if it does not say.
  std::int64_t created = 0;

  bool is_here() const { return !trees.empty(); }
};

struct Foundation {
  std::optional<BaseImage> image;
  /// Who named the image: the settings (`base:`), which puts the layer on it, or the layer's own FROM.
  enum class NamedBy { settings, layer } named_by = NamedBy::layer;
  /// Nothing if it is not known.
  std::optional<catalogue::Family> family;
  /// Where the family is known from, for messages: "Alpine Linux v3.20", "'family' in sheaf.yml:2"; may be empty.
  std::string family_source;
};

/// The image that the base of `stack` is made of: `chosen` by the settings, or in its FROM. Nothing if it is
/// bootstrapped or starts empty. Mistakes in its FROM go to `diagnostics`.
std::optional<std::string> base_image_name(const resolve::Stack& stack, const ArgValues& args,
                                           const std::optional<std::string>& chosen,
                                           std::optional<catalogue::Family> family, Diagnostics& diagnostics);

/// Is there something for this family in the layer? True where the family is not known yet.
bool fits(const catalogue::LayerDefinition& definition, const Foundation& foundation);
/// An image that the settings name and the base has nothing for is used as it is.
bool is_plain(const catalogue::LayerDefinition& base, const Foundation& foundation);
/// Reports a layer that has nothing for the family, with both names ("wrong-family").
void check_family(const resolve::StackEntry& entry, const resolve::Stack& stack, const Foundation& foundation,
                  Diagnostics& diagnostics);

/// The Containerfile for this family, deb if it is not known; null if there is none.
std::shared_ptr<const SourceText> containerfile_of(const catalogue::LayerDefinition& definition,
                                                   std::optional<catalogue::Family> family);
/// Build arguments by the names that the Containerfile uses, from the values chosen for the layer's `args`.
BuildArguments build_args(const catalogue::LayerDefinition& definition, const ArgValues& values);

} // namespace sheaf::plan
