// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layers that were built apart often hold the same files: two that installed one package, two versions of one layer.
// Before a new layer is committed, each of its files that a stored layer has too becomes a hard link to that one.
// Nothing of the layer changes by it, neither its inventory nor its keys; the other layer may go at any time.

#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::builder {

struct SharedFiles {
  std::uint64_t files = 0;
  /// Sizes of those files; the blocks they took are free again.
  std::uint64_t bytes = 0;
};

/// Shares the files of `tree`, which nobody else uses yet and `inventory` lists, with those of `donors` that have the
/// same path, equal in every field of the inventory (contents, mode, owner, time, attributes) and, read once more, byte
/// for byte. Hard links within the tree stay as they are. `scratch` is a path of no file, in the same file system. A
/// file that cannot be linked (too many links, a file system without them, a donor that vanished or is not what its
/// inventory says) is left alone. `corrupt` if `inventory` is not one.
Result<SharedFiles> share_files(const std::string& tree, std::string_view inventory,
                                const std::vector<store::StoredLayer>& donors, const std::string& scratch);

} // namespace sheaf::builder
