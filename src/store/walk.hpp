// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a part of the store takes on the disk: the blocks that the file system has allocated, as du(1) counts them.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sheaf::store {

/// Calls `visit` for `name` in `folder` and everything below it, without following symlinks or entering other file
/// systems than `device`. What vanishes meanwhile is left out.
Result<void> walk(const os::Fd& folder, const std::string& name, std::optional<dev_t> device,
                  const std::function<void(const struct stat&)>& visit);

std::uint64_t allocated_bytes(const struct stat& info);

/// Of everything below the folder `path`, each inode once.
Result<std::uint64_t> total_bytes(const std::string& path);

} // namespace sheaf::store
