// SPDX-License-Identifier: Apache-2.0
#include "resolve/detection.hpp"

namespace sheaf::resolve {

std::vector<detect::Rule> detection_rules(const catalogue::Catalogue& catalogue) {
  std::vector<detect::Rule> rules;
  for (const auto& layer : catalogue.all()) {
    for (const auto& rule : layer.detect) {
      rules.push_back({layer.name, rule.file, rule.version, rule.is_minimum, rule.calls});
    }
  }
  return rules;
}

} // namespace sheaf::resolve
