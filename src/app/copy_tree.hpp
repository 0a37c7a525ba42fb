// SPDX-License-Identifier: Apache-2.0
#pragma once

// A tree as plain files of the caller's own, as `docker build --output type=local` writes it.

#include "os/fd.hpp"

namespace sheaf::app {

/// Copies all of `from` into `to`, over what is there. Modes and times are kept; owners are the caller's; device nodes,
/// sockets and fifos are left out. Symlinks in `to` are replaced, never followed.
Result<void> copy_tree(const os::Fd& from, const os::Fd& to);

} // namespace sheaf::app
