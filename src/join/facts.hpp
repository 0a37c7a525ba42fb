// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of a layer: what it changed in the shared databases of the machine, record by record, against the view it
// was built on. They are what the join works on; they hold no file that only one layer can own.

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::join {

/// One record of one shared file, before and after a layer. At least one side is there, and they differ.
struct RecordChange {
  /// Relative to the root, without a leading '/' and without '.' or '..': "var/lib/dpkg/status".
  std::string file;
  /// What the driver of the file keys its records by; never empty.
  std::string key;
  /// Absent: the layer added the record.
  std::optional<std::string> before;
  /// Absent: the layer removed the record.
  std::optional<std::string> after;
  bool operator==(const RecordChange&) const = default;
};

/// Sorted by (file, key) bytewise, no duplicates.
struct Facts {
  std::vector<RecordChange> changes;
  bool operator==(const Facts&) const = default;
};

/// The canonical bytes of `facts`: equal facts, equal bytes. Grammar: docs/formats/facts.md.
std::string serialise(const Facts& facts);
/// `corrupt` with the byte offset unless `bytes` are exactly what `serialise` writes; `unsupported` for another
/// version.
Result<Facts> parse_facts(std::string_view bytes);

} // namespace sheaf::join
