// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes one tree of the trees of an image and what steps added to it: what overlayfs shows of them, with no deletions
// left. Files are not copied where they can be shared.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sheaf::builder {

struct Flattened {
  /// Files that are those of the image, under a second name.
  std::uint64_t shared = 0;
  std::uint64_t copied = 0;
  /// Device nodes and sockets are left out: /dev is mounted, and an ordinary user can make none.
  std::uint64_t left_out = 0;
};

/// Fills the empty directory `into`. `trees` belong to the store, bottom first, at least one, and are not changed;
/// `own` lies above them and is given up. Files of the image that are younger than `epoch` (seconds since 1970) or have
/// fractions of seconds are copied, because whoever captures the result sets their times. Times of directories are not
/// kept.
Result<Flattened> flatten(const std::vector<std::string>& trees, const std::string& own, std::int64_t epoch,
                          const std::string& into);

} // namespace sheaf::builder
