// SPDX-License-Identifier: Apache-2.0
#include "os/as_caller.hpp"

#include "os/namespaces.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sheaf::os {
namespace {

/// Of this thread alone: setresuid(2) as glibc has it would change all of them.
bool become_user(unsigned uid) { return syscall(SYS_setresuid, -1, uid, -1) == 0; }
bool become_group(unsigned gid) { return syscall(SYS_setresgid, -1, gid, -1) == 0; }

bool become_caller() {
  if (effective_uid() != 0 || !is_caller_mapped() || !become_group(k_caller_id)) {
    return false;
  }
  if (become_user(k_caller_id)) {
    return true;
  }
  become_group(0);
  return false;
}

} // namespace

AsCaller::AsCaller() {
  prctl(PR_GET_PDEATHSIG, &m_death_signal);
  m_parent = getppid();
  m_changed = become_caller();
}

AsCaller::~AsCaller() {
  if (m_changed) {
    const int error = errno;
    become_user(0);
    become_group(0);
    prctl(PR_SET_DUMPABLE, 1); // a change of ids ends it, and with it our access to /proc/self (prctl(2))
    if (m_death_signal != 0) {
      prctl(PR_SET_PDEATHSIG, m_death_signal);
      if (getppid() != m_parent) { // it ended meanwhile
        raise(m_death_signal);
      }
    }
    errno = error;
  }
}

} // namespace sheaf::os
