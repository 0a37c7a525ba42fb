// SPDX-License-Identifier: Apache-2.0
#pragma once

// What /proc says about a process whose call waits for an answer.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "calls.hpp"

namespace sheaf::faults {

/// Identity of a program's file.
struct Program {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Program&) const = default;
};

/// All zero if there is no such file.
Program program_at(const std::string& path);
/// The program that thread `tid` runs.
Program program_of(pid_t tid);
/// The process of thread `tid`; -1 if it is gone.
pid_t process_of(pid_t tid);
/// The command line, its words separated by spaces.
std::string command_line_of(pid_t pid);
/// Processes whose parent this one is.
std::vector<pid_t> own_children();

/// What the call is about: a path as the process gave it, made absolute where it is below a directory's descriptor, or
/// what its descriptor is ("/path", "pipe:[1]"). Empty if neither can be read.
std::string target_of(pid_t tid, const Call& call, const Arguments& arguments);

} // namespace sheaf::faults
