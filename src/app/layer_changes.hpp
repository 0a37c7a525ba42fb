// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which input of a layer differs between two builds of it, or between a build and what is planned: what a recipe key
// cannot say, because it is a digest.

#include "base/config_delta.hpp"
#include "store/layer_record.hpp"

#include <map>
#include <string>
#include <vector>

namespace sheaf::app {

/// All that a recipe key is made of, of a built layer or of a planned one.
struct Ingredients {
  /// As in LayerRecord.
  std::map<std::string, std::string> inputs;
  /// Empty parts where the record is too old to have them.
  store::Recipe recipe;
  ConfigDelta config;
};
Ingredients ingredients_of(const store::LayerRecord& record);

/// One input that differs. Without `before` it is new, without `after` it is gone.
struct LayerChange {
  /// "argument", "instruction", "file", "variable", "image", "bootstrap", "platform", "refresh", "parent", …
  std::string input;
  /// Which one: a path, a variable; empty where there is only one.
  std::string name;
  std::string before;
  std::string after;
  bool operator==(const LayerChange&) const = default;
};

/// What changed in the layer itself.
std::vector<LayerChange> own_changes(const Ingredients& before, const Ingredients& now);
/// Which of the layers below it have another content; one whose content is not known now is left out.
std::vector<LayerChange> parent_changes(const Ingredients& before, const Ingredients& now);

/// One line: "argument VERSION: 20 -> 22". Keys and digests are cut short.
std::string describe(const LayerChange& change);
/// "argument VERSION: 20 -> 22, and 2 more"; empty for none.
std::string summary(const std::vector<LayerChange>& changes);

} // namespace sheaf::app
