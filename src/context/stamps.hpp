// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the stamps of a file may be trusted to say that it is as it was.

#include "os/file.hpp"

#include <sys/stat.h>

#include <cstdint>

namespace sheaf::context {

os::FileStamp stamp_of(const struct stat& info);

/// The time of day, in nanoseconds.
std::int64_t now_ns();

/// Could a change after `read_at` (nanoseconds) have left the same stamp? Source: git's Documentation/technical/
/// racy-git.
bool is_racy(const os::FileStamp& stamp, std::int64_t read_at);

} // namespace sheaf::context
