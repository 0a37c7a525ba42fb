// SPDX-License-Identifier: Apache-2.0
#pragma once

// All layer definitions a run can see, one winner per name. Built by `app/` from the built-in, user and project
// definitions; read by `resolve/` and by the commands that list layers. Immutable once built.

#include "catalogue/layer_definition.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

class Catalogue {
public:
  Catalogue() = default;
  /// Of two layers with one name the later origin wins, within an origin the later in `layers`.
  explicit Catalogue(std::vector<LayerDefinition> layers);

  /// Null if there is none. The pointer lives as long as this catalogue or one it is moved to.
  const LayerDefinition* find(std::string_view name) const;
  /// The winners, sorted by name.
  std::span<const LayerDefinition> all() const { return m_layers; }
  /// Sorted.
  std::vector<std::string> names() const;
  /// The definitions of that name that lost, the strongest first.
  std::span<const LayerDefinition> shadowed(std::string_view name) const;

  /// Reports what only the whole can show: "unknown-layer", "cycle" in needs, "duplicate-layer" within an origin.
  void check(Diagnostics& diagnostics) const;

private:
  void check_mentions(Diagnostics& diagnostics) const;
  void check_cycles(Diagnostics& diagnostics) const;
  void check_duplicates(Diagnostics& diagnostics) const;

  std::vector<LayerDefinition> m_layers;
  std::map<std::string, std::vector<LayerDefinition>, std::less<>> m_shadowed;
};

} // namespace sheaf::catalogue
