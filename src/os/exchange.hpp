// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts one directory in the place of another at one moment.

#include "base/result.hpp"

#include <string>

namespace sheaf::os {

/// `first` and `second`, which both exist on one file system, swap their names: renameat2(2), RENAME_EXCHANGE.
Result<void> exchange(const std::string& first, const std::string& second);

} // namespace sheaf::os
