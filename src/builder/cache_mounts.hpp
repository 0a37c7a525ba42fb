// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directories of RUN --mount=type=cache. They outlive builds, belong to nobody's result, and may be deleted at any
// time when no build runs.

#include "base/result.hpp"
#include "os/file_lock.hpp"
#include "plan/step.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// A cache as one step has it.
struct CacheDirectory {
  std::string path;
  /// Held while the step runs: alone for "locked" and "private", together with others for "shared".
  std::optional<os::FileLock> lock;
};

/// "<folder>/<digest>-<n>/" with data/ and the lock beside it. The digest is that of id and start content's name, so
/// that caches of one id with different starts do not mix; the number is 0 but for private copies.
class CacheMounts {
public:
  /// `folder` is made when needed.
  explicit CacheMounts(std::string folder) : m_folder(std::move(folder)) {}

  /// The directory for one step. "shared" gives the same one to all, "locked" waits until nobody else has it, "private"
  /// gives the first that nobody has. A new one is a copy of the directory that `lowers` (bottom first) show at the
  /// mount's path, owners and times included, and `start` names it; without any it is empty and has the mount's owner
  /// and mode. `cancelled` if stopped while waiting.
  Result<CacheDirectory> take(const plan::CacheMount& mount, const std::vector<std::string>& lowers,
                              const std::string& start, std::stop_token stop) const;

private:
  std::string m_folder;
};

} // namespace sheaf::builder
