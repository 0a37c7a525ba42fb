// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts made from the command table: help, the man page, shell completion.

#include "cli/command.hpp"

#include <string>

namespace sheaf::cli {

/// For `sheaf --help`.
std::string program_help();
/// For `sheaf COMMAND --help`.
std::string command_help(const Command& command);
/// sheaf(1) in man(7) format.
std::string man_page();
/// `invalid` for a shell other than bash, zsh and fish.
Result<std::string> completion_script(std::string_view shell);

/// The exit code for a failure; the one table of them.
int exit_code(ErrorCode code);

} // namespace sheaf::cli
