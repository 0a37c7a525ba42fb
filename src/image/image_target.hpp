// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where an image goes to: a registry, an OCI layout (directory or tar), a docker archive. The exporter sees this
// interface only.

#include "base/result.hpp"
#include "oci/manifest.hpp"
#include "os/fd.hpp"

#include <stop_token>
#include <string>
#include <string_view>

namespace sheaf::image {

/// Safe from several threads.
class ImageTarget {
public:
  ImageTarget() = default;
  ImageTarget(const ImageTarget&) = delete;
  ImageTarget& operator=(const ImageTarget&) = delete;
  virtual ~ImageTarget() = default;

  virtual std::string name() const = 0;
  /// Asked before a blob is made: layers that are there are not compressed again.
  virtual Result<bool> has(const oci::Descriptor& blob, std::stop_token stop) = 0;
  /// From the beginning of the file.
  virtual Result<void> put_blob(const oci::Descriptor& blob, const os::Fd& file, std::stop_token stop) = 0;
  /// After all that it names. `last`: the one that the image's name stands for; others are entries of an index or
  /// referrers.
  enum class Place { named, by_digest };
  virtual Result<void> put_manifest(const oci::Descriptor& manifest, std::string_view text, Place place,
                                    std::stop_token stop) = 0;
  /// Makes what was put visible (renames, writes an index).
  virtual Result<void> finish() = 0;
};

} // namespace sheaf::image
