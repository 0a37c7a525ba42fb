// SPDX-License-Identifier: Apache-2.0
#include "app/layer_update.hpp"

#include "catalogue/downloads_edit.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sheaf::app {
namespace {

namespace cat = catalogue;

constexpr std::string_view k_file = "downloads.yml";

std::string path_of(const Project& project, const cat::LayerDefinition& layer) {
  if (layer.origin == cat::Origin::builtin) {
    return fmt::format("{}/layers/{}/{}", user_config_folder(), layer.name, k_file);
  }
  const bool is_absolute = layer.folder.starts_with('/');
  return fmt::format("{}{}/{}", is_absolute ? "" : project.root + "/", layer.folder, k_file);
}

/// The files of a layer as they are in its folder.
std::map<std::string, std::string> files_of(const cat::LayerDefinition& layer) {
  auto files = layer.files;
  for (const auto& source : {layer.definition, layer.containerfile}) {
    if (source) {
      files.emplace(source->name().substr(source->name().rfind('/') + 1), source->text());
    }
  }
  return files;
}

/// Makes the folder as a whole: a half-written one would be read as a layer.
Result<void> write_copy(const cat::LayerDefinition& layer, const std::string& folder, const std::string& text) {
  const auto layers = folder.substr(0, folder.rfind('/'));
  SHEAF_TRY(os::make_directories(layers));
  SHEAF_TRY_ASSIGN(auto staging, os::TempDir::create(user_config_folder(), ".layer-"));
  auto files = files_of(layer);
  files[std::string(k_file)] = text;
  for (const auto& [name, content] : files) {
    const auto path = staging.path() + "/new/" + name;
    SHEAF_TRY(os::make_directories(path.substr(0, path.rfind('/'))));
    SHEAF_TRY(os::write_file(path, content, os::Durable::yes));
  }
  return os::rename(staging.path() + "/new", folder);
}

} // namespace

bool LayerUpdate::is_changed() const {
  return std::ranges::any_of(artefacts, [](const auto& artefact) { return artefact.is_changed(); });
}

Result<LayerUpdate> find_update(const Project& project, const cat::LayerDefinition& layer, Upstream& upstream,
                                EventSink& events) {
  const auto& artefacts = layer.downloads.artefacts;
  if (artefacts.empty()) {
    return Error(ErrorCode::invalid, fmt::format("layer '{}' downloads nothing that is pinned", layer.name))
        .with_hint("'sheaf layer update' is for layers with a 'downloads.yml'; package managers look for new versions "
                   "whenever a layer is built");
  }
  LayerUpdate update{layer.name, path_of(project, layer), layer.origin == cat::Origin::builtin, {}};
  std::vector<Error> failures;
  for (const auto& artefact : artefacts) {
    auto pin = upstream.newest(artefact).context(
        fmt::format("looking for the newest '{}' of layer '{}'", artefact.name, layer.name));
    if (pin) {
      update.artefacts.push_back({artefact.name, artefact.current, std::move(*pin)});
    } else {
      failures.push_back(std::move(pin).error());
    }
  }
  if (failures.size() == 1 || (!failures.empty() && failures.front().code() == ErrorCode::cancelled)) {
    return std::move(failures.front());
  }
  for (const auto& failure : failures) {
    events.emit({EventKind::warning, "", failure.summary()});
  }
  if (!failures.empty()) {
    return Error(failures.front().code(), fmt::format("{} of {} downloads of layer '{}' could not be refreshed",
                                                      failures.size(), artefacts.size(), layer.name))
        .with_hint("nothing was written; the warnings say why");
  }
  return update;
}

Result<void> write_update(const cat::LayerDefinition& layer, const LayerUpdate& update) {
  const auto doing = fmt::format("writing '{}'", update.path);
  std::map<std::string, cat::Pin> pins;
  for (const auto& artefact : update.artefacts) {
    if (artefact.is_changed()) {
      pins[artefact.name] = artefact.after;
    }
  }
  SHEAF_TRY_ASSIGN(const auto text, cat::with_pins(layer.downloads, pins).context(doing));
  if (update.is_copy) {
    return write_copy(layer, update.path.substr(0, update.path.rfind('/')), text).context(doing);
  }
  return os::write_file(update.path, text, os::Durable::yes).context(doing);
}

} // namespace sheaf::app
