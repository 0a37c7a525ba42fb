// SPDX-License-Identifier: Apache-2.0
#pragma once

// The blob of one layer for a target: found, or made from the tree or from the blob that the tree came from.

#include "image/export.hpp"
#include "store/blobs.hpp"

#include <optional>
#include <string>

namespace sheaf::image {

struct LayerBlob {
  store::BlobRecord record;
  /// Nothing: the target has it.
  std::optional<os::Fd> file;
  bool made = false;
};

/// How layers are to be packed.
struct LayerWish {
  /// Nothing: as they are if that is one of the usual ways, else in the default way.
  std::optional<oci::Compression> compression;
  Form form = Form::oci;
  /// For one layer, at least one.
  unsigned threads = 1;
};

/// What packs layers in this way here: the `encoder` of Blobs::save_record.
std::string encoder_of(oci::Compression compression);

/// `corrupt` if the tree was lost.
Result<LayerBlob> layer_blob(const store::TreeRef& tree, const LayerWish& wish, ImageTarget& target,
                             store::Store& store, const std::stop_token& stop);

/// The blob as it is kept or as the target has it; `corrupt` if it was lost.
Result<LayerBlob> kept_blob(const store::BlobRecord& record, ImageTarget& target, store::Store& store,
                            const std::stop_token& stop);

} // namespace sheaf::image
