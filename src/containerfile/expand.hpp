// SPDX-License-Identifier: Apache-2.0
#pragma once

// Variables, quotes and escapes in the words of instructions (Dockerfile reference, "Environment replacement").

#include "base/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::containerfile {

/// The value of a variable, nothing if it is unset.
using Lookup = std::function<std::optional<std::string>(std::string_view)>;

/// `word` with its variables replaced and its quotes and escapes taken off. Knows `$x`, `${x}`, `:-` `-` `:+` `+` `:?`
/// `?`, `#` `##` `%` `%%`, `/` and `//`; an unset variable is empty. `escape` is '\' or '`' (`File::escape`). `invalid`
/// if quotes or braces are not closed, a modifier is unknown, or `${x?}` finds nothing.
Result<std::string> expand(std::string_view word, const Lookup& lookup, char escape);

/// The same for the content of a heredoc, where quotes are plain text. The escape character is '\', whatever the file
/// says, as in BuildKit.
Result<std::string> expand_content(std::string_view content, const Lookup& lookup);

} // namespace sheaf::containerfile
