// SPDX-License-Identifier: Apache-2.0
#pragma once

// Quantities as people write them.

#include <cstdint>
#include <optional>
#include <string_view>

namespace sheaf {

/// "64m", "1.5GiB", "1024" as bytes: powers of 1024, whatever the unit says, as in Docker. Nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "12h", "7d", "2w", "0" as seconds. Nothing for anything else, nor for more than ten thousand of a unit.
std::optional<std::int64_t> parse_age(std::string_view text);

} // namespace sheaf
