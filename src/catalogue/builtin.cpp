// SPDX-License-Identifier: Apache-2.0
#include "catalogue/builtin.hpp"

#include <map>
#include <string>
#include <utility>

namespace sheaf::catalogue {

std::vector<LayerDefinition> builtin_layers(Diagnostics& diagnostics) {
  std::map<std::string, std::map<std::string, std::string>> folders;
  for (const auto& file : embedded_files()) {
    const auto slash = file.path.find('/');
    if (slash != std::string_view::npos) { // a file beside the folders is a note to the maintainers
      folders[std::string(file.path.substr(0, slash))].emplace(file.path.substr(slash + 1), file.contents);
    }
  }
  std::vector<LayerDefinition> layers;
  for (auto& [name, files] : folders) {
    if (auto layer = layer_from_files(name, Origin::builtin, "<built in>/" + name, std::move(files), diagnostics)) {
      layers.push_back(std::move(*layer));
    }
  }
  return layers;
}

} // namespace sheaf::catalogue
