// SPDX-License-Identifier: Apache-2.0
#pragma once

// Durations as HEALTHCHECK has them: Go's syntax, "1m30s", "1.5h", "300ms".

#include <chrono>
#include <optional>
#include <string_view>

namespace sheaf::containerfile {

/// Nothing if `text` is no duration or does not fit. A sign is allowed; only "0" may lack a unit (Go,
/// time.ParseDuration).
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

} // namespace sheaf::containerfile
