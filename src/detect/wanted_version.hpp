// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the version that a project's file asks for, and the line. Pure; the walk hands it the contents of files.

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::detect {

/// In place of keys: the version is the first word of the file.
inline constexpr std::string_view k_first_line = "first-line";

/// Something written in a file.
struct Written {
  std::string text;
  /// 1-based.
  std::size_t line = 0;
  bool operator==(const Written&) const = default;
};

/// The value at `where` in the file called `name`:
/// - `k_first_line`: the first word that is not behind a '#', unless it starts with '[';
/// - of a file NAME.json: keys from the top, "engines.node";
/// - of NAME.toml, NAME.lock and Pipfile: the same in TOML; of others, if `where` has a '.': the same, if it is TOML;
/// - else: the word behind that word at the start of a line ("go" of go.mod, "nodejs" of .tool-versions).
/// Nothing if there is none, or none that could be a version (printable ASCII, at most 100 bytes).
/// `invalid` if the file cannot be read as what its name says, with the line where it can be told.
Result<std::optional<Written>> find_version(std::string_view name, std::string_view contents, std::string_view where);

} // namespace sheaf::detect
