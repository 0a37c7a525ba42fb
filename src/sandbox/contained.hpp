// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host programs that end with us, however we end: our own program again, which ties itself to this process before it
// becomes the other one. Contained ones take all that they start and mount with them, because they run in a PID and
// mount namespace of their own over the host's root.

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::sandbox {

/// The hidden first argument that makes `main` call contained_main with the rest.
constexpr std::string_view k_contained_argument = "__contained";
/// The same for tied_main.
constexpr std::string_view k_tied_argument = "__tied";

/// The command line that runs `argv` contained as a child of this process, which needs the right to make namespaces
/// (it is root, or os::enter_user_namespace was called).
std::vector<std::string> contained(std::vector<std::string> argv);
/// The command line that runs `argv` as a child of this process which is killed with the thread that starts it. What it
/// starts itself is not.
std::vector<std::string> tied(std::vector<std::string> argv);

/// `argv`, null-terminated: the process to die with, the program, its arguments. The caller exits with the value,
/// which is the program's as a shell would say it.
int contained_main(char** argv);
int tied_main(char** argv);

} // namespace sheaf::sandbox
