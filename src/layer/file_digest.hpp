// SPDX-License-Identifier: Apache-2.0
#pragma once

// Digests of what files hold; of many files on all processors. Used by the capture and by whoever compares files.

#include "base/digest.hpp"
#include "base/result.hpp"
#include "layer/inventory.hpp"
#include "os/fd.hpp"

#include <vector>

namespace sheaf::layer {

/// Of all that can be read from the descriptor's position on.
Result<Digest> digest_of(const os::Fd& file);

/// Fills in the digest of every regular file of `entries` below `root`, each inode read once: a hard link has the
/// digest of the entry its `target` names. Nobody else may change the tree meanwhile.
Result<void> add_digests(const os::Fd& root, std::vector<Entry>& entries);

} // namespace sheaf::layer
