// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where an image comes from: a registry, an OCI layout (directory or tar), a docker archive. The importer sees this
// interface only.

#include "base/result.hpp"
#include "oci/manifest.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sheaf::image {

using Sink = std::function<Result<void>(std::string_view bytes)>;

struct ManifestText {
  std::string text;
  /// As the source says; may be empty.
  std::string media_type;
  Digest digest;
};

/// An annotation of manifests that a source made up since it has none (docker archives): they lead to the layers, and
/// say nothing that is worth keeping.
inline constexpr std::string_view k_made_up = "sheaf.manifest.made-up";

/// Safe from several threads.
class ImageSource {
public:
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  virtual ~ImageSource() = default;

  /// For messages: "registry.example/app:1", "the OCI layout 'out'".
  virtual std::string name() const = 0;
  /// The manifest or index that was asked for.
  virtual Result<ManifestText> top(std::stop_token stop) = 0;
  /// One that an index names; checked against its digest.
  virtual Result<ManifestText> manifest(const oci::Descriptor& wanted, std::stop_token stop) = 0;
  /// The bytes of a blob in order, checked against size and digest: an error after bytes were given means that nothing
  /// of them may be kept.
  virtual Result<void> blob(const oci::Descriptor& wanted, const Sink& sink, std::stop_token stop) = 0;
};

} // namespace sheaf::image
