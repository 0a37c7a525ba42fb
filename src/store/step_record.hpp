// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a step of an image's build gave: said once per key, beside the tree that several keys may share.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::store {

struct StepRecord {
  /// The instruction, for people.
  std::string display;
  /// Of the tree, without times.
  Digest content;
  /// Names the tree: content and times.
  Digest exact;
  /// Sum of file sizes; entries. No entries: nothing to mount.
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  /// How long it took.
  std::int64_t milliseconds = 0;
  /// Seconds since 1970.
  std::int64_t created = 0;
  bool operator==(const StepRecord&) const = default;
  /// Place of the tree in the store, see TreeRef::folder.
  std::string folder() const { return "steps/" + exact.hex(); }
};

std::string serialise(const StepRecord& record);
/// `corrupt` if the text is not a record.
Result<StepRecord> parse_step_record(std::string_view text);

} // namespace sheaf::store
