// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mends what a check of the store found: damage is put aside, never deleted, and what a cache has is fetched from it.

#include "app/store_check.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

/// Says in each problem what was done. `caches` as in the settings; may be empty.
Result<void> repair_store(StoreCheck& check, const std::vector<std::string>& caches, const Session& session);

} // namespace sheaf::app
