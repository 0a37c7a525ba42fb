// SPDX-License-Identifier: Apache-2.0
#include "join/package_texts.hpp"

#include <fmt/format.h>

namespace sheaf::join {

std::string package_conflict_text(std::string_view package, const Conflict& conflict, std::string_view a,
                                  std::string_view b) {
  return fmt::format("package '{}' is {} in {} and {} in {}", package, a, layer_text(conflict.layer_a),
                     a == b ? "the same with other fields" : b, layer_text(conflict.layer_b));
}

std::string one_snapshot_text(std::string_view package) {
  return fmt::format("build both layers from one package snapshot, so that both get the same '{}'", package);
}

} // namespace sheaf::join
