// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a host program so that it, all it starts and all it mounts end with us: our own program again, in a PID and
// mount namespace of its own over the host's root. Used for mmdebstrap, which mounts and starts many children.

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::sandbox {

/// The hidden first argument that makes `main` call contained_main with the rest.
constexpr std::string_view k_contained_argument = "__contained";

/// The command line that runs `argv` contained.
std::vector<std::string> contained(std::vector<std::string> argv);

/// Runs argv[0] with its arguments (null-terminated); the caller exits with the value, which is the program's as a
/// shell would say it.
int contained_main(char** argv);

} // namespace sheaf::sandbox
