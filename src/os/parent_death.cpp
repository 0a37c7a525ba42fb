// SPDX-License-Identifier: Apache-2.0
#include "os/parent_death.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace sheaf::os {

void die_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) {
    _exit(1);
  }
}

void die_with_parent(Pipe& alive) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ignore(alive.write.close(), "a pipe that is not written to");
  pollfd end{alive.read.get(), 0, 0};
  if (poll(&end, 1, 0) > 0) {
    _exit(1);
  }
}

} // namespace sheaf::os
