// SPDX-License-Identifier: Apache-2.0
#pragma once

// An image in the blobs of an OCI layout. Source: OCI image-spec, image-layout.md.

#include "image/image_source.hpp"
#include "os/fd.hpp"

#include <memory>
#include <string>

namespace sheaf::image {

/// `directory` holds blobs/; `top` is the manifest or index asked for.
std::unique_ptr<ImageSource> layout_source(std::string name, std::string directory, ManifestText top);

/// A file below `directory`, out of which no link leads; `corrupt` if there is something else than a file.
Result<os::Fd> open_file_of(const os::Fd& directory, const std::string& path);
/// A file below `directory` (links in it cannot lead out), in pieces. `corrupt` if size or digest differ.
Result<void> read_blob(const os::Fd& directory, const std::string& path, const oci::Descriptor& wanted,
                       const Sink& sink, const std::stop_token& stop);
/// A small text below `directory`, in which links cannot lead out either.
Result<std::string> read_text(const std::string& directory, const std::string& path);
/// A manifest among the blobs, checked.
Result<ManifestText> read_manifest(const std::string& directory, const oci::Descriptor& wanted,
                                   const std::stop_token& stop);

} // namespace sheaf::image
