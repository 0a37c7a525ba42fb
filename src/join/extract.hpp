// SPDX-License-Identifier: Apache-2.0
#pragma once

// From files to facts: what a layer changed in one shared file. Used when a layer is committed.

#include "join/driver.hpp"

namespace sheaf::join {

/// The record changes from `base_text` to `upper_text`, sorted by key; an absent text is a file without records. Where
/// only `base_text` is absent, the order of the new file may be one more change (`k_order_key`).
/// `corrupt` if one of them does not parse.
Result<std::vector<RecordChange>> extract(const Driver& driver, std::string_view file,
                                          std::optional<std::string_view> base_text,
                                          std::optional<std::string_view> upper_text);

} // namespace sheaf::join
