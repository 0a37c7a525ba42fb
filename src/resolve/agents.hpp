// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads what people write for `--agents` and for `agents:` in `sheaf.yml`. Pure; used by `app/`.

#include "base/result.hpp"
#include "catalogue/catalogue.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::resolve {

/// The agents of "a,b", "all", "all,-x", "none" or "" (none), sorted. Order and repeats do not matter; what is taken
/// out stays out. `not_found` for an unknown name; `invalid` for a layer that is no agent or a spec without sense.
Result<std::vector<std::string>> select_agents(const catalogue::Catalogue& catalogue, std::string_view spec);

} // namespace sheaf::resolve
