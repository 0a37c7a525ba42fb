// SPDX-License-Identifier: Apache-2.0
#pragma once

// Times for people.

#include <cstdint>
#include <string>

namespace sheaf::ui {

/// "2026-11-21 21:40", in UTC. `seconds` since 1970.
std::string date(std::int64_t seconds);

} // namespace sheaf::ui
