// SPDX-License-Identifier: Apache-2.0
#pragma once

// Base64 with the usual alphabet (RFC 4648, 4). Pure.

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::registry {

/// With padding.
std::string to_base64(std::string_view bytes);
/// Padding may be missing; nothing if a character is none of the alphabet.
std::optional<std::string> from_base64(std::string_view text);

} // namespace sheaf::registry
