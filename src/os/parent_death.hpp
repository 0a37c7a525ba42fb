// SPDX-License-Identifier: Apache-2.0
#pragma once

// A process that must not outlive the one that started it. The kernel's signal of the parent's death (prctl(2),
// PR_SET_PDEATHSIG) is asked for by the child, which may be too late: a parent that is gone by then is not told of any
// more. So each of these also looks whether it still is there.

#include "os/fd.hpp"

#include <sys/types.h>

namespace sheaf::os {

/// From here on this process is killed when its parent ends; it ends at once if that was not `parent` any more. For a
/// child in the PID namespace of its parent, which passes what getpid() says there.
void die_with_parent(pid_t parent);

/// The same for the first process of a new PID namespace, which cannot know its parent's number: `alive` was made
/// before the fork, and the parent keeps its end for writing, which nobody else has, until it ends.
void die_with_parent(Pipe& alive);

} // namespace sheaf::os
