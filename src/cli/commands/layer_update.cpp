// SPDX-License-Identifier: Apache-2.0
#include "app/layer_update.hpp"

#include "base/suggest.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <vector>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {
    k_directory_option, Option{"dry-run", 'n', "", "show what is newer and write nothing"},
    Option{"download", 0, "", "download every file and compare it with its published checksum"}, k_json_option};
constexpr std::array<std::string_view, 3> k_examples = {
    "sheaf layer update k8s", "sheaf layer update k8s terraform --dry-run", "sheaf layer update gcloud --download"};

/// A layer with what was found for it.
struct Found {
  const catalogue::LayerDefinition* layer;
  app::LayerUpdate update;
};

std::string change_of(const app::ArtefactUpdate& artefact) {
  if (artefact.before.version != artefact.after.version) {
    return "newer";
  }
  return artefact.is_changed() ? "checksums added" : "-";
}

void print_text(const std::vector<Found>& all, bool is_dry) {
  ui::Table table({"LAYER", "DOWNLOAD", "PINNED", "NEWEST", "CHANGE"});
  for (const auto& found : all) {
    for (const auto& artefact : found.update.artefacts) {
      table.add(
          {found.update.layer, artefact.name, artefact.before.version, artefact.after.version, change_of(artefact)});
    }
  }
  Invocation::print(table.to_string());
  for (const auto& [layer, update] : all) {
    if (!update.is_changed()) {
      continue;
    }
    Invocation::print(fmt::format("{} '{}'{}\n", is_dry ? "would write" : "wrote", update.path,
                                  update.is_copy ? ", part of a copy that takes the built-in layer's place" : ""));
  }
}

Json to_json(const Found& found, bool is_dry) {
  Json downloads = Json::array();
  for (const auto& artefact : found.update.artefacts) {
    downloads.push_back({{"name", artefact.name},
                         {"old_version", artefact.before.version},
                         {"new_version", artefact.after.version},
                         {"changed", artefact.is_changed()},
                         {"sha256", artefact.after.sha256}});
  }
  return {{"name", found.update.layer},
          {"path", found.update.path},
          {"copy", found.update.is_copy},
          {"written", found.update.is_changed() && !is_dry},
          {"downloads", downloads}};
}

Result<const catalogue::LayerDefinition*> find_layer(const app::Project& project, const std::string& name) {
  const auto* layer = project.catalogue.find(name);
  if (layer == nullptr) {
    return Error(ErrorCode::not_found, fmt::format("no layer is called '{}'", name))
        .with_hint(did_you_mean(name, project.catalogue.names()));
  }
  return layer;
}

Result<int> update(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  app::Upstream upstream(invocation.has("download") ? app::DownloadFiles::yes : app::DownloadFiles::no,
                         invocation.stop());
  std::vector<Found> all;
  for (const auto& name : invocation.operands) {
    SHEAF_TRY_ASSIGN(const auto* layer, find_layer(project, name));
    SHEAF_TRY_ASSIGN(auto found, app::find_update(project, *layer, upstream, *invocation.events));
    all.push_back({layer, std::move(found)});
  }
  const bool is_dry = invocation.has("dry-run");
  for (const auto& [layer, found] : all) {
    if (found.is_changed() && !is_dry) {
      SHEAF_TRY(app::write_update(*layer, found));
    }
  }
  if (invocation.json()) {
    Json layers = Json::array();
    for (const auto& found : all) {
      layers.push_back(to_json(found, is_dry));
    }
    Invocation::print(Json{{"layers", layers}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return 0;
  }
  print_text(all, is_dry);
  return 0;
}

} // namespace

const Command k_layer_update = {
    "layer update",
    "pin newer versions of what layers download",
    "Asks upstream for the newest version of every download of the layers and for its published checksums, and writes "
    "both into downloads.yml: in place for layers of the project and your own, into a copy among your own for built-in "
    "ones. A checksum that changed for a version that is pinned already is an error. If anything fails, nothing is "
    "written.",
    {"NAME…", 1, std::numeric_limits<std::size_t>::max()},
    k_options,
    k_examples,
    update};

} // namespace sheaf::cli
