// SPDX-License-Identifier: Apache-2.0
#pragma once

// The system calls that change files or flush them, and where each has its paths and descriptors. They are recorded for
// whole processes by a seccomp filter that stops a thread at them and at nothing else.

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace sheaf::durability {

/// What a call does to a store.
enum class Kind { open, make, link, move, remove, data, range, size, meta, flush, flush_all };

constexpr int k_none = -1;

/// Where a call has what, as numbers of its arguments; `k_none`: it has no such thing.
struct Call {
  std::string_view name;
  Kind kind = Kind::data;
  /// A path and the directory descriptor it is relative to; for `link` and `move` the old name.
  int path = k_none;
  int directory = k_none;
  /// The new name.
  int to = k_none;
  int to_directory = k_none;
  int fd = k_none;
  /// `open`: flags; `range`: the offset; `move`: renameat2(2)'s flags.
  int extra = k_none;
};

/// The row of a system call number, or nullptr.
const Call* call_of(std::uint64_t number);

/// From now on this process and its children stop at the calls of the table, for whoever traces them. Needs
/// CAP_SYS_ADMIN: without it programs would lose what set-user-id bits give them.
Result<void> stop_at_calls();

} // namespace sheaf::durability
