// SPDX-License-Identifier: Apache-2.0
#pragma once

// Brings an image into the store: layers are fetched several at a time, and each is checked, kept, decompressed and
// unpacked while it comes. What is not whole and right is not kept.

#include "image/image_source.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

namespace sheaf::image {

/// How far a blob is. A blob that was there already is said once, with `reused`.
struct Progress {
  Digest blob;
  std::uint64_t done = 0; ///< bytes
  std::uint64_t total = 0;
  bool reused = false;
};
/// Called from several threads at the same time.
using OnProgress = std::function<void(const Progress&)>;

struct ImportOptions {
  /// Nothing: this machine's; an image that is not one of several may be for another one then.
  std::optional<oci::Platform> platform;
  /// Layers at a time; 0: as many as make sense.
  unsigned jobs = 0;
  OnProgress on_progress = {};
  /// A layer beyond these is a bomb: `invalid`.
  std::uint64_t most_bytes = std::uint64_t{256} << 30U;
  std::uint64_t most_entries = 10'000'000;
};

/// The image, its trees in the store; it is neither saved nor named yet (Store::save_image, Store::tag). `not_found` if
/// there is none for the platform; `corrupt` for digests, sizes, configurations or archives that are not right;
/// `unsupported` for media types that are no image of files.
Result<store::ImageRecord> import_image(ImageSource& source, const ImportOptions& options, store::Store& store,
                                        std::stop_token stop);

/// Are all blobs there that the image came with? True for an image that was made here.
Result<bool> has_its_blobs(const store::ImageRecord& image, store::Store& store);

/// What this program was built for.
oci::Platform native_platform();

} // namespace sheaf::image
