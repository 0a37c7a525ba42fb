// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mounts the root file system of a sandbox and what belongs into it. Helper process only.

#include "base/result.hpp"
#include "os/fd.hpp"
#include "sandbox/mount_points.hpp"
#include "sandbox/spec.hpp"

namespace sheaf::sandbox {

/// For each bind and then each tree of the spec that is shown with another owner, the user namespace that says which;
/// empty for others.
/// Starts processes, so it has to be called before a PID namespace is entered.
Result<std::vector<os::Fd>> owner_maps(const SandboxSpec& spec);

/// Mounts the overlay at spec.mount_point.
Result<void> mount_root(const SandboxSpec& spec);

/// In the new PID namespace: /proc, /dev, /sys, the spec's mounts, then pivots into the root and names the host.
/// `owners` is what owner_maps gave. What comes back removes the mount points when the commands have ended.
Result<MountPoints> finish_root(const SandboxSpec& spec, const std::vector<os::Fd>& owners);

/// `path` and its parents below the mounted `root`, which symlinks cannot leave. Those that have to be made belong to
/// `owner`, resolved as for USER; empty is root. `invalid` if something else is there.
Result<void> make_directory_in_root(const std::string& path, const std::string& root, const std::string& owner = {});

} // namespace sheaf::sandbox
