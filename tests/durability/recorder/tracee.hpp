// SPDX-License-Identifier: Apache-2.0
#pragma once

// What can be learned about a stopped thread: its memory, its descriptors and what its paths mean.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sheaf::durability {

/// The zero-terminated string at `address`; what can be read of it.
std::string read_string(pid_t thread, std::uint64_t address);
/// The 64-bit number at `address`, 0 if there is none.
std::uint64_t read_number(pid_t thread, std::uint64_t address);
/// "/proc/<thread>/fd/<fd>": leads to the open file itself, whatever its name is by now.
std::string link_of(pid_t thread, int fd);
/// What a descriptor is open on, as its own mount namespace names it; empty if it is not open.
std::string file_of(pid_t thread, int fd);
/// Where the next read or write of a descriptor begins.
std::uint64_t position_of(pid_t thread, int fd);
/// The absolute path that `path` means to the thread, relative to `directory` (a descriptor or AT_FDCWD), without "."
/// and "..". An empty one means the directory itself. Symlinks are not followed.
std::string absolute(pid_t thread, int directory, const std::string& path);

} // namespace sheaf::durability
