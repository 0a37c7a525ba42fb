// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a program and everything it starts under ptrace(2), and lets one recorded call run at a time.

#include "base/result.hpp"

#include <string>
#include <vector>

#include "recorder/recorder.hpp"

namespace sheaf::durability {

/// Runs `command` to its end and that of all it started; its exit code, or 128 and the signal that ended it.
Result<int> trace(const std::vector<std::string>& command, Recorder& recorder);

} // namespace sheaf::durability
