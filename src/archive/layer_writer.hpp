// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes a tree of the store as the blob of an image layer: sorted tar (PAX) with whiteouts for overlayfs's marks,
// packed as asked. The same tree gives the same bytes, whether root or an ordinary user made it. Source: OCI
// image-spec, layer.md.

#include "archive/packing.hpp"
#include "archive/reader.hpp"
#include "base/digest.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace sheaf::archive {

struct LayerOptions {
  Packing packing = Packing::zstd;
  /// For compression, at least one.
  unsigned threads = 1;
  /// Device nodes that the tree should have and could not be made, sorted by path.
  std::vector<Entry> devices;
};

struct WrittenLayer {
  /// Of the tar.
  Digest diff_id;
  std::uint64_t tar_bytes = 0;
  /// Of what was given to the output.
  Digest blob;
  std::uint64_t blob_bytes = 0;
  std::uint64_t entries = 0;
};

/// Nobody else may change the tree meanwhile. Sockets are left out. `cancelled` if stopped.
Result<WrittenLayer> write_layer(const os::Fd& tree, const LayerOptions& options, const Output& to,
                                 const std::stop_token& stop);

} // namespace sheaf::archive
