// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `sheaf build --output` says: where the files of an image, or the image itself, are to go.

#include "app/build_stack.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "store/image_record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

struct OutputRequest {
  enum class Kind {
    directory,     ///< type=local
    tar,           ///< type=tar
    nothing,       ///< type=cacheonly, type=image
    oci,           ///< type=oci
    oci_directory, ///< type=oci,tar=false
    docker,        ///< type=docker
    registry,      ///< type=registry, type=image,push=true
  };
  Kind kind = Kind::directory;
  /// A path; "-" for standard output (tar, oci, docker).
  std::string destination;
  /// Of the image in the file or registry; empty: what -t says.
  std::vector<std::string> names;
  std::optional<oci::Compression> compression;
  /// Of a registry: put bills of materials, inventory and provenance beside the image.
  bool attest = false;
};

/// "type=TYPE,dest=FILE[,name=NAME][,compression=gzip|zstd|uncompressed]", or a path alone for type=local, "-" for a
/// tar on standard output. `invalid` for anything else.
Result<OutputRequest> parse_output(std::string_view text);
/// "gzip", "zstd" or "uncompressed"; `invalid` for anything else.
Result<oci::Compression> parse_compression(std::string_view text);

/// An image that was pushed.
struct PushedImage {
  oci::Reference name;
  oci::Descriptor manifest;
  std::optional<oci::Compression> compression;
};

/// What became of an image outside of the store.
struct WrittenImage {
  /// Or index, for several platforms.
  oci::Descriptor manifest;
  /// Nothing for several platforms.
  std::optional<oci::Descriptor> config;
  std::vector<PushedImage> pushed;
};

/// `unsupported` for what cannot hold images for several platforms.
Result<void> check_output(const OutputRequest& request, std::size_t platforms);

/// `images` are for one platform each, at least one. `tags` are the names of the image. Nothing of a file is left
/// behind if it fails. Gives nothing if what is written is no image.
Result<std::optional<WrittenImage>> write_output(const OutputRequest& request,
                                                 const std::vector<store::ImageRecord>& images,
                                                 const std::vector<oci::Reference>& tags, const Session& session);

} // namespace sheaf::app
