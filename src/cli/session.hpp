// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opening the store for a command: as root as it is, as an ordinary user from inside a user namespace.

#include "cli/command.hpp"
#include "os/namespaces.hpp"
#include "store/store.hpp"

namespace sheaf::cli {

/// Makes this process root of its ids if it is not root already, then lets signals ask for a stop. Call it before
/// threads are started.
Result<void> become_able(const Invocation& invocation, os::OwnMounts mounts);

/// become_able, then the store at invocation.store_root.
Result<store::Store> open_store(Invocation& invocation);

/// The value of --jobs. `invalid` unless it is a number from 1 to 64.
Result<unsigned> jobs_of(const Invocation& invocation);

} // namespace sheaf::cli
