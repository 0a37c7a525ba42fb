// SPDX-License-Identifier: Apache-2.0
#pragma once

// An image in the store: a configuration and the trees it is made of, by name of their place in the store
// (docs/formats/store.md).

#include "base/digest.hpp"
#include "base/result.hpp"
#include "oci/image_config.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::store {

/// A tree of the store: "steps/<hex>", "layers/<hex>", "joins/<hex>", "unpacked/<hex>".
struct TreeRef {
  std::string folder;
  /// Digest of what the tree holds, times left out.
  Digest content;
  bool operator==(const TreeRef&) const = default;
};

struct ImageRecord {
  oci::Image image;
  /// Bottom first; empty for an image without files.
  std::vector<TreeRef> trees;
  /// Seconds since 1970.
  std::int64_t created = 0;
  /// For the manifest; no part of the id.
  std::map<std::string, std::string> annotations;
  /// Of an image that came from outside: the blobs that said so (blobs.hpp). Neither is part of the id, and both count
  /// only as long as they still say what `image` and `trees` do.
  std::optional<Digest> manifest = std::nullopt;
  std::optional<Digest> config = std::nullopt;
  bool operator==(const ImageRecord&) const = default;
};

/// What an image is, whenever and wherever it was made: configuration and content of the trees.
Digest image_id(const ImageRecord& record);

std::string serialise(const ImageRecord& record);
/// `corrupt` if the text is not a record.
Result<ImageRecord> parse_image_record(std::string_view text);

} // namespace sheaf::store
