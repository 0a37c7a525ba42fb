// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the catalogue tells detection, which knows no catalogue.

#include "catalogue/catalogue.hpp"
#include "detect/detect.hpp"

#include <vector>

namespace sheaf::resolve {

/// The rules of all layers, those of one layer in the order it has them.
std::vector<detect::Rule> detection_rules(const catalogue::Catalogue& catalogue);

} // namespace sheaf::resolve
