// SPDX-License-Identifier: Apache-2.0
#pragma once

// Yes or no, as Docker's options spell it.

#include <optional>
#include <string_view>

namespace sheaf::containerfile {

/// "1", "t", "T", "true", "True", "TRUE" and their opposites (Go, strconv.ParseBool); else nothing.
std::optional<bool> parse_truth(std::string_view text);

} // namespace sheaf::containerfile
