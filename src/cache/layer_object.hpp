// SPDX-License-Identifier: Apache-2.0
#pragma once

// A built layer as an object that a cache holds: an OCI manifest whose config is the layer's record, and whose blobs
// are the tree (the same blob that images of it have), the inventory and the facts. It is tagged by the recipe key.
// Form: docs/formats/layer-object.md.

#include "image/image_source.hpp"
#include "image/image_target.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <stop_token>
#include <string>

namespace sheaf::cache {

namespace media_type {
inline constexpr const char* k_layer = "application/vnd.sheaf.layer.v1";
inline constexpr const char* k_record = "application/vnd.sheaf.layer.record.v1+json";
inline constexpr const char* k_inventory = "application/vnd.sheaf.layer.inventory.v1";
inline constexpr const char* k_facts = "application/vnd.sheaf.layer.facts.v1";
} // namespace media_type

/// "layer-<64 hex digits>"
std::string tag_of(const RecipeKey& recipe);

struct Put {
  /// Bytes of blobs that the target did not have.
  std::uint64_t bytes = 0;
  oci::Descriptor manifest;
};

/// Writes the layer; blobs that are there are not sent. `target.finish()` is the caller's.
Result<Put> put_layer(const store::StoredLayer& layer, image::ImageTarget& target, store::Store& store,
                      const std::stop_token& stop);

struct Object {
  store::LayerRecord record;
  /// Of all its blobs.
  std::uint64_t bytes = 0;
};
/// What is known of the layer of the recipe key before it is transferred. Errors as of `get_layer`.
Result<Object> peek_layer(const RecipeKey& recipe, image::ImageSource& source, const std::stop_token& stop);

/// Reads the layer of the recipe key from what the tag names and commits it to the store. `not_found` if there is none;
/// `corrupt` if it is another layer, or one of its blobs is not what was said: nothing of it is kept then.
Result<store::StoredLayer> get_layer(const RecipeKey& recipe, image::ImageSource& source, store::Store& store,
                                     const std::stop_token& stop);

} // namespace sheaf::cache
