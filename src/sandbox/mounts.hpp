// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the mounts that a specification asks for and attaches them in the root, in the order of their targets. Helper
// process only.

#include "base/result.hpp"
#include "os/fd.hpp"
#include "sandbox/mount_points.hpp"
#include "sandbox/spec.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sheaf::sandbox {

/// Attaches `bind`; `owners` as of owner_maps, may be empty. Device nodes in it do not open.
Result<void> mount_bind(MountPoints& points, const BindMount& bind, const os::Fd& owners = os::Fd());

/// Attaches a device of the machine at its own place.
Result<void> mount_device(MountPoints& points, const std::string& path);

/// Attaches a new file system of `type` at the directory `target`; options and attributes as of os::mount_file_system.
Result<void> mount_new(MountPoints& points, const std::string& type, const std::string& target,
                       const std::vector<std::pair<std::string, std::string>>& options, unsigned attributes);

/// All binds, overlays, trees, file systems in memory and secrets of `spec`; `owners` is what owner_maps gave. Covers
/// spec.mount_point for moments: nobody else may use it by its path meanwhile.
Result<void> mount_all(MountPoints& points, const SandboxSpec& spec, const std::vector<os::Fd>& owners);

} // namespace sheaf::sandbox
