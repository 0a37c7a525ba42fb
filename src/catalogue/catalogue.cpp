// SPDX-License-Identifier: Apache-2.0
#include "catalogue/catalogue.hpp"

#include "base/suggest.hpp"
#include "catalogue/cycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf::catalogue {

Catalogue::Catalogue(std::vector<LayerDefinition> layers) {
  std::reverse(layers.begin(), layers.end()); // so that a stable sort puts the winner of a name first
  std::stable_sort(layers.begin(), layers.end(), [](const LayerDefinition& a, const LayerDefinition& b) {
    return a.name != b.name ? a.name < b.name : a.origin > b.origin;
  });
  for (auto& layer : layers) {
    if (m_layers.empty() || m_layers.back().name != layer.name) {
      m_layers.push_back(std::move(layer));
    } else {
      m_shadowed[layer.name].push_back(std::move(layer));
    }
  }
}

const LayerDefinition* Catalogue::find(std::string_view name) const {
  const auto found =
      std::lower_bound(m_layers.begin(), m_layers.end(), name,
                       [](const LayerDefinition& layer, std::string_view key) { return layer.name < key; });
  return found != m_layers.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string> Catalogue::names() const {
  std::vector<std::string> names;
  names.reserve(m_layers.size());
  for (const auto& layer : m_layers) {
    names.push_back(layer.name);
  }
  return names;
}

std::span<const LayerDefinition> Catalogue::shadowed(std::string_view name) const {
  const auto found = m_shadowed.find(name);
  return found != m_shadowed.end() ? std::span<const LayerDefinition>(found->second)
                                   : std::span<const LayerDefinition>();
}

void Catalogue::check(Diagnostics& diagnostics) const {
  check_mentions(diagnostics);
  check_cycles(diagnostics);
  check_duplicates(diagnostics);
}

void Catalogue::check_mentions(Diagnostics& diagnostics) const {
  const auto known = names();
  for (const auto& layer : m_layers) {
    for (const auto& mention : layer.mentions) {
      // What a layer replaces may be long gone from the catalogue.
      if (mention.key != "replaces" && find(mention.layer) == nullptr) {
        diagnostics.error(layer.definition, mention.span, "unknown-layer",
                          fmt::format("unknown layer '{}' in '{}' of '{}'", mention.layer, mention.key, layer.name),
                          did_you_mean(mention.layer, known));
      }
    }
  }
}

void Catalogue::check_cycles(Diagnostics& diagnostics) const {
  Dependencies needs;
  for (const auto& layer : m_layers) {
    needs.emplace(layer.name, layer.needs);
  }
  for (auto cycle = find_cycle(needs); !cycle.empty(); cycle = find_cycle(needs)) {
    const auto& layer = *find(cycle[0]);
    const auto closing = std::find_if(layer.mentions.begin(), layer.mentions.end(), [&](const Mention& mention) {
      return mention.key == "needs" && mention.layer == cycle[1];
    });
    const auto span = closing != layer.mentions.end() ? closing->span : Span();
    diagnostics.error(layer.definition, span, "cycle", "layers need each other: " + render_cycle(cycle));
    std::erase(needs.find(cycle[0])->second, cycle[1]); // opens this cycle, to see whether there are others
  }
}

void Catalogue::check_duplicates(Diagnostics& diagnostics) const {
  for (const auto& [name, losers] : m_shadowed) {
    const auto* above = find(name);
    for (const auto& loser : losers) {
      if (above->origin == loser.origin) {
        diagnostics.add(
            {Severity::error,
             "duplicate-layer",
             fmt::format("layer '{}' is defined twice: in '{}' and in '{}'", name, above->folder, loser.folder),
             nullptr,
             {},
             "remove or rename one of them"});
      }
      above = &loser;
    }
  }
}

} // namespace sheaf::catalogue
