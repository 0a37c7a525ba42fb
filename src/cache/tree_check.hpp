// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is a tree that came from a cache what its inventory says? The digest of its blob stands in a manifest that whoever
// writes to the cache made.

#include "layer/inventory.hpp"
#include "os/fd.hpp"

#include <sys/types.h>

#include <unordered_map>

namespace sheaf::cache {

/// `corrupt` if an entry is missing, is there beside those of the inventory, or has another type, mode, owner, size,
/// content or target. Times and attributes are not compared; device nodes, which an ordinary user cannot make, may be
/// missing. `contents`: of files by inode, as far as known; others are read.
Result<void> check_tree(const os::Fd& root, const layer::Inventory& inventory,
                        const std::unordered_map<ino_t, Digest>& contents);

} // namespace sheaf::cache
