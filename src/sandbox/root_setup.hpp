// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mounts the root file system of a sandbox and what belongs into it. Helper process only.

#include "base/result.hpp"
#include "os/fd.hpp"
#include "sandbox/spec.hpp"

namespace sheaf::sandbox {

/// For each bind of the spec that is shown with another owner, the user namespace that says which; empty for others.
/// Starts processes, so it has to be called before a PID namespace is entered.
Result<std::vector<os::Fd>> owner_maps(const SandboxSpec& spec);

/// Mounts the overlay at spec.mount_point.
Result<void> mount_root(const SandboxSpec& spec);

/// In the new PID namespace: /proc, /dev, /sys, the spec's mounts, then pivots into the root and names the host.
/// `owners` is what owner_maps gave.
Result<void> finish_root(const SandboxSpec& spec, const std::vector<os::Fd>& owners);

/// `path` and its parents below `root`, which symlinks cannot leave.
Result<void> make_directory_in_root(const std::string& path, const std::string& root);

} // namespace sheaf::sandbox
