// SPDX-License-Identifier: Apache-2.0
#pragma once

// One layer's way into the store: fetched, kept, decompressed, checked and unpacked at the same time.

#include "archive/unpack.hpp"
#include "image/image_source.hpp"
#include "image/import.hpp"
#include "store/blobs.hpp"

namespace sheaf::image {

struct TakenLayer {
  store::TreeRef tree;
  store::BlobRecord record;
  /// It hides all that layers below it hold. overlayfs does not heed the mark of that at the root of a tree.
  bool hides_all_below = false;
};

/// `diff_id` is what the configuration says. A layer that is there is not fetched again, unless its blob was
/// lost. Nothing is kept of one that is not what was said.
Result<TakenLayer> take_in_layer(ImageSource& source, const oci::Descriptor& layer, const Digest& diff_id,
                                 const ImportOptions& options, store::Store& store, const std::stop_token& stop);

/// Fetches a layer, checks size, digest, packing and `diff_id`, unpacks it below the folder `tree`, which is there, and
/// keeps the blob. What is in `tree` after an error is not what was said.
Result<archive::Unpacked> unpack_layer(ImageSource& source, const oci::Descriptor& layer, const Digest& diff_id,
                                       const ImportOptions& options, const std::string& tree, store::Store& store,
                                       const std::stop_token& stop);

/// A layer that was taken in before, by its blob; nothing if it was not, or is damaged.
Result<std::optional<TakenLayer>> find_layer(const Digest& blob, store::Store& store);

/// What is mounted of an image's layers: without those that hold nothing or are hidden as a whole, and of equal ones
/// only the topmost, which hides all of the others.
std::vector<store::TreeRef> mounted(const std::vector<TakenLayer>& layers);

} // namespace sheaf::image
