// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inventory of a whole root file system, in the form that layers have theirs (docs/formats/inventory.md).

#include "base/result.hpp"
#include "layer/inventory.hpp"

#include "sbom/tree_stack.hpp"

namespace sheaf::sbom {

/// Every path that shows, with digests: all files are read. No whiteouts. Names of one file are hard links only if they
/// are so in one tree.
Result<layer::Inventory> inventory_of(const TreeStack& root);

} // namespace sheaf::sbom
