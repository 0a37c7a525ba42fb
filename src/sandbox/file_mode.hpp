// SPDX-License-Identifier: Apache-2.0
#pragma once

// The modes of chmod(1): octal, or symbolic as in "u=rwX,go-w". Without "u", "g", "o" or "a" all three are meant; no
// umask takes part (BuildKit, COPY --chmod).

#include "base/result.hpp"

#include <sys/types.h>

#include <string_view>
#include <vector>

namespace sheaf::sandbox {

class FileMode {
public:
  /// `invalid` with what is wrong.
  static Result<FileMode> parse(std::string_view text);
  /// The permission bits of a file whose st_mode is `mode`.
  mode_t apply(mode_t mode) const;

private:
  struct Change {
    mode_t who = 0;
    char operation = '=';
    mode_t bits = 0;
    /// "X": execution where somebody has it already, and for directories.
    bool search = false;
    /// 'u', 'g' or 'o': what these have; 0 for none.
    char copied_from = 0;
  };
  static Result<void> parse_clause(std::string_view clause, FileMode& mode);
  static mode_t value_of(const Change& change, mode_t now, bool is_directory);
  std::vector<Change> m_changes;
};

} // namespace sheaf::sandbox
