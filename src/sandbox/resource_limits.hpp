// SPDX-License-Identifier: Apache-2.0
#pragma once

// docker build --ulimit: limits of a command's process.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

#include <vector>

namespace sheaf::sandbox {

/// `invalid`, with the known names, for a name that setrlimit(2) has not, or a soft limit above the hard one.
Result<void> check_limits(const std::vector<ResourceLimit>& limits);

/// Sets the limits of this process. One that would need CAP_SYS_RESOURCE becomes as high as we may, and a line about it
/// goes to the descriptor `notes`. `invalid` as for check_limits.
Result<void> set_limits(const std::vector<ResourceLimit>& limits, int notes);

} // namespace sheaf::sandbox
