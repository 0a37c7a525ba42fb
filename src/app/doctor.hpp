// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks what this machine offers and says how to mend what is missing.

#include <string>
#include <vector>

namespace sheaf::app {

enum class Health { good, limited, bad };

struct Check {
  std::string name;
  Health health = Health::good;
  /// What was found.
  std::string found;
  /// How to mend it; empty if there is nothing to mend.
  std::string advice;
};

/// Runs all checks; `store_root` is where the store is or would be. Call it before entering a user namespace.
std::vector<Check> examine_machine(const std::string& store_root);

} // namespace sheaf::app
