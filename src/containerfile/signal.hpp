// SPDX-License-Identifier: Apache-2.0
#pragma once

// The word of STOPSIGNAL, once its variables are known.

#include <string_view>

namespace sheaf::containerfile {

/// True for a number from 1 to 64 and for a name of Linux, with or without "SIG", in any case: "SIGTERM", "int",
/// "RTMIN+3".
bool is_signal(std::string_view text);

} // namespace sheaf::containerfile
