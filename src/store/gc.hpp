// SPDX-License-Identifier: Apache-2.0
#pragma once

// Takes away what nothing needs. Runs beside everything else: what a running process uses stays (in_use.hpp), and
// nothing that an image with a name is made of goes.

#include "store/gc_plan.hpp"
#include "store/store.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::store {

struct GcOptions {
  GcPolicy policy;
  /// Says what would go and leaves it.
  bool dry_run = false;
};

struct GcReport {
  struct Removed {
    PartKind kind = PartKind::record;
    std::string part;
    std::string name;
    std::int64_t last_used = 0;
    /// That nobody else has by a hard link, counted in the order of removal.
    std::uint64_t bytes = 0;
  };
  /// In order. In a dry run what would be.
  std::vector<Removed> removed;
  /// Parts that were to go and cannot be moved: mounted folders, or on another disk.
  struct Skipped {
    std::string part;
    std::string why;
  };
  std::vector<Skipped> skipped;
  /// Of parts that stay, by why.
  std::map<Fate, std::size_t> kept;
  std::uint64_t freed = 0;
  /// What is left when more than `max_size` is; counted for that policy only.
  std::optional<std::uint64_t> too_large;
};

/// The parts of a store with what they need, as plan_gc wants them. Damaged records are left out: they are for fsck.
Result<std::vector<Part>> collect_parts(Store& store);

/// `cancelled` if stopped; what was taken away until then is gone, and is whole.
Result<GcReport> collect_garbage(Store& store, const GcOptions& options, const std::stop_token& stop);

} // namespace sheaf::store
