// SPDX-License-Identifier: Apache-2.0
#pragma once

// The join: the pure function from the base's shared files and the facts of each layer to the merged files and the
// conflicts. It touches no disk; its caller reads the base, writes the join layer and decides about conflicts.

#include "join/driver.hpp"

#include <functional>
#include <map>

namespace sheaf::join {

/// The base's text of a root-relative file, nothing if the base has no such file.
using BaseText = std::function<Result<std::optional<std::string>>(std::string_view file)>;

struct JoinResult {
  using Link = join::Link;
  /// Every file that a layer touched, by root-relative path, but for those with conflicts.
  std::map<std::string, std::string, std::less<>> files;
  /// Symbolic links that follow from `files`, which join layers must hold too; they replace what layers say of these
  /// paths. Only to be used if there is no conflict.
  Links links;
  /// In the order of the files; at most one per layer and record.
  std::vector<Conflict> conflicts;
};

/// Joins `layers`, given in canonical order (needs before dependants). Independent layers may come in any order and
/// give the same files. `base` is asked once for each touched file.
/// Errors: those of `base`; `corrupt` if a file or a record does not parse; `unsupported` for facts of a file that no
/// driver owns.
Result<JoinResult> join(const BaseText& base, std::span<const Layer> layers);

} // namespace sheaf::join
