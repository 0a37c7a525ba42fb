// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the tree of a base from a distribution's own signed packages, with mmdebstrap(1).

#include "base/result.hpp"
#include "builder/build_log.hpp"
#include "plan/layer_plan.hpp"

#include <cstdint>
#include <stop_token>
#include <string>

namespace sheaf::builder {

struct Bootstrapped {
  /// Date of the newest release file used, seconds since 1970: no file of the base may be younger.
  std::int64_t epoch = 0;
};

struct BootstrapFolders {
  /// Empty; becomes the root.
  std::string tree;
  /// Gets the package lists that were used.
  std::string lists;
  /// Downloaded packages are taken from here and kept here.
  std::string archives;
  /// Package lists of before, taken instead of the mirror's; empty: the mirror is asked.
  std::string known_lists;
};

/// Makes the root. `not_found` if the tool is missing, `failed_step` if it fails.
Result<Bootstrapped> bootstrap(const catalogue::Bootstrap& recipe, const BootstrapFolders& folders, BuildLog& log,
                               std::stop_token stop);

/// The newest Date of the release files in `lists`; 0 if there is none.
Result<std::int64_t> release_date(const std::string& lists);

/// Moves every finished download from `from` to `to`; what is there already stays.
Result<void> harvest(const std::string& from, const std::string& to, std::string_view suffix);

} // namespace sheaf::builder
