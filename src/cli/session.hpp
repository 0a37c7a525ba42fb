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

/// Layers at the same time if nobody says how many: each is the work of a package manager.
inline constexpr unsigned k_layer_jobs = 4;
/// Stages of an image at the same time if nobody says how many: more than there are processors, because many steps
/// only wait, for the network or for each other.
unsigned image_jobs();
/// The value of --jobs. `invalid` unless it is a number from 1 to 64.
Result<unsigned> jobs_of(const Invocation& invocation, unsigned otherwise = k_layer_jobs);

} // namespace sheaf::cli
