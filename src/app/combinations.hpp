// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which selections of a set of layers there are to compose and test. Pure.

#include "base/result.hpp"
#include "catalogue/catalogue.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sheaf::app {

/// More environments than this nobody waits for.
inline constexpr std::size_t k_most_combinations = 4096;

struct Combinations {
  /// The smallest first, the base alone at the very beginning; each gives another stack than all before it.
  std::vector<std::vector<std::string>> selections;
  /// Selections that cannot be resolved, though each of their layers alone can: "a, b: why not".
  std::vector<std::string> impossible;
};

/// Every selection of at most `most` of `layers` on `base`. Of selections that give one stack, because a layer needs
/// another one, the smallest. `not_found` or `invalid` if one of the layers alone cannot be resolved; `invalid` if
/// there would be more than k_most_combinations.
Result<Combinations> combine(const catalogue::Catalogue& catalogue, const std::string& base,
                             std::vector<std::string> layers, std::size_t most);

} // namespace sheaf::app
