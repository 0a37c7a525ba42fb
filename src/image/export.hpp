// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes an image of the store to a target. Layers become blobs once and are remembered; what the target has is neither
// made nor sent. An image that came from outside and was not changed leaves byte for byte as it came.

#include "image/image_target.hpp"
#include "image/import.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::image {

/// Which media types are written.
enum class Form { oci, docker };

struct ExportOptions {
  /// Nothing: layers that came from outside as they are, others with zstd (Form::docker: gzip).
  /// Layers that came plain are packed, unless the image leaves as it came.
  std::optional<oci::Compression> compression;
  /// Nothing: as it came, for a new one OCI's.
  std::optional<Form> form;
  /// For the manifest, besides those of the image.
  std::map<std::string, std::string> annotations;
  /// Seconds since 1970 for `created`; nothing: that of the image.
  std::optional<std::int64_t> created;
  /// Whether the manifest is what the name stands for, or an entry of an index that is put later.
  ImageTarget::Place place = ImageTarget::Place::named;
  /// Threads; 0: all processors.
  unsigned jobs = 0;
  OnProgress on_progress = {};
};

struct Exported {
  /// With the platform.
  oci::Descriptor manifest;
  oci::Descriptor config;
  /// Bottom first.
  std::vector<oci::Descriptor> layers;
  /// Layers that were packed now, that were packed before, and that the target had.
  unsigned made = 0;
  unsigned reused = 0;
  unsigned there = 0;
  /// Bytes of blobs and manifests given to the target.
  std::uint64_t bytes_written = 0;
  /// The original manifest was written.
  bool unchanged = false;
};

/// Images for several platforms that one name stands for.
struct ExportedSet {
  /// Of the index; with one image, of its manifest.
  oci::Descriptor top;
  /// As given.
  std::vector<Exported> images;
};
/// One image as `export_image` does; several with an index of them. `target.finish()` is the caller's.
Result<ExportedSet> export_images(const std::vector<store::ImageRecord>& images, ExportOptions options,
                                  ImageTarget& target, store::Store& store, std::stop_token stop);

/// Puts blobs, then the manifest; `target.finish()` is the caller's. `corrupt` if a tree or a blob was lost.
Result<Exported> export_image(const store::ImageRecord& image, const ExportOptions& options, ImageTarget& target,
                              store::Store& store, std::stop_token stop);

} // namespace sheaf::image
