// SPDX-License-Identifier: Apache-2.0
#pragma once

// The seccomp filter that reports a process's watched calls, and those of all its descendants, to a supervisor
// (seccomp_unotify(2)).

#include "base/result.hpp"
#include "os/fd.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace sheaf::faults {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Watched {
  pid_t pid = -1;
  /// Where the calls are reported; each waits for an answer.
  os::Fd listener;
};

/// Starts `argv` below the filter, as `account`. `denied` without CAP_SYS_ADMIN: no_new_privs, which would do instead,
/// takes newuidmap away from the program.
Result<Watched> start_watched(const std::vector<std::string>& argv, const Account& account);

} // namespace sheaf::faults
