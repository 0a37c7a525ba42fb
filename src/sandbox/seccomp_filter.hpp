// SPDX-License-Identifier: Apache-2.0
#pragma once

// The system calls a sandboxed command may not make, even as root of its namespace.

#include "base/result.hpp"

namespace sheaf::sandbox {

/// Installs the filter on this process and all that come from it. Needs CAP_SYS_ADMIN in the user namespace.
Result<void> install_seccomp_filter();
/// Compiles the filter; without it the first `install_seccomp_filter` of each process does.
void prepare_seccomp_filter();

} // namespace sheaf::sandbox
