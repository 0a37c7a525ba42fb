// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mounts the root file system of a sandbox and what belongs into it. Helper process only.

#include "base/result.hpp"
#include "sandbox/spec.hpp"

namespace sheaf::sandbox {

/// Mounts the overlay at spec.mount_point.
Result<void> mount_root(const SandboxSpec& spec);

/// In the new PID namespace: /proc, /dev, /sys, the spec's mounts, then pivots into the root and names the host.
Result<void> finish_root(const SandboxSpec& spec);

/// `path` and its parents below `root`, which symlinks cannot leave.
Result<void> make_directory_in_root(const std::string& path, const std::string& root);

} // namespace sheaf::sandbox
