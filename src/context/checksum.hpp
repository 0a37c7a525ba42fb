// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells a file of ours that was cut short or damaged from a whole one.

#include <cstdint>
#include <string_view>

namespace sheaf::context {

/// Against damage, not against ill will: who can write here can write anything. Eight bytes at a time.
std::uint64_t checksum(std::string_view bytes);

} // namespace sheaf::context
