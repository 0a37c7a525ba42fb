// SPDX-License-Identifier: Apache-2.0
#pragma once

// The use cases `sheaf push` and `sheaf export`: an image of the store to a registry or to a file.

#include "app/build_stack.hpp"
#include "image/export.hpp"
#include "oci/reference.hpp"
#include "store/image_record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

struct Pushed {
  std::string name;
  image::Exported exported;
  /// Blobs sent to the registry, bytes.
  std::uint64_t bytes_sent = 0;
  /// Manifests of what was said of it.
  std::vector<Digest> attestations;
};

struct PushOptions {
  std::optional<oci::Compression> compression;
  std::map<std::string, std::string> annotations;
  /// Bills of materials, inventory and provenance beside the image.
  bool attest = false;
};

/// `invalid` for a reference with a digest.
Result<Pushed> push_image(const store::ImageRecord& image, const oci::Reference& to, const PushOptions& options,
                          const Session& session);

struct PushedSet {
  std::string name;
  image::ExportedSet exported;
};
/// Images for several platforms under one name.
Result<PushedSet> push_images(const std::vector<store::ImageRecord>& images, const oci::Reference& to,
                              const PushOptions& options, const Session& session);

/// What files of images there are.
enum class ImageFileKind { oci_tar, oci_directory, docker };

struct ExportRequest {
  ImageFileKind kind = ImageFileKind::oci_tar;
  /// A path; "-" for standard output, not for directories.
  std::string path;
  std::optional<oci::Compression> compression;
  std::map<std::string, std::string> annotations;
};

/// `names` are written into the file.
Result<image::Exported> export_to_file(const store::ImageRecord& image, const std::vector<std::string>& names,
                                       const ExportRequest& request, const Session& session);
/// `unsupported` for several images in a docker archive.
Result<image::ExportedSet> export_all_to_file(const std::vector<store::ImageRecord>& images,
                                              const std::vector<std::string>& names, const ExportRequest& request,
                                              const Session& session);

} // namespace sheaf::app
