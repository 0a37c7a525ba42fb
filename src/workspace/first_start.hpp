// SPDX-License-Identifier: Apache-2.0
#pragma once

// What names one machine is no part of a layer (class identity of layer/capture_rules.hpp). Here is how an environment
// gets its own when it starts. Nothing is done for what no layer of the environment lost.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

#include <string>
#include <vector>

namespace sheaf::workspace {

/// Files to write before anything runs. `scrubbed`: paths of capture rules, as in the layers' records.
Result<std::vector<sandbox::NewFile>> first_start_files(const std::vector<std::string>& scrubbed);

/// A script for /bin/sh, to be run as root before the command; empty if nothing is to be made. It makes only what is
/// missing, prints nothing, and warns on standard error of what could not be made.
std::string first_start_script(const std::vector<std::string>& scrubbed);

} // namespace sheaf::workspace
