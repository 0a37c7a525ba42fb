// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads an image from an OCI image layout on disk (image-spec, image-layout.md): blobs are checked against their
// digests, layers unpacked into the store, each once.

#include "base/result.hpp"
#include "store/image_record.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <string>

namespace sheaf::app {

/// `place` is "PATH", "PATH:TAG" or "PATH@DIGEST". Without a tag the layout must hold one image for this platform.
Result<store::ImageRecord> import_layout(const std::string& place, store::Store& store, std::stop_token stop);

} // namespace sheaf::app
