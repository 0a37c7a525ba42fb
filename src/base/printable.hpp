// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text of others on a terminal: names of files and stages, lines of Dockerfiles, output of commands. Pure.

#include <string>
#include <string_view>

namespace sheaf {

/// What becomes of ECMA-48's SGR sequences, which only colour.
enum class Colours { kept, dropped };

/// `text` without a means to move the cursor, set a title or clear the screen: control characters but newlines and tabs
/// become "\x1b" and the like. A CR at the end of a line is dropped. Colours that are kept end behind the text.
std::string printable(std::string_view text, Colours colours);

} // namespace sheaf
