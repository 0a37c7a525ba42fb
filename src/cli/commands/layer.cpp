// SPDX-License-Identifier: Apache-2.0
#include "app/project.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "layer/capture_rules.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_directory_option, k_json_option};
constexpr Option k_capture_option = {"capture", 0, "", "print what is dropped from the built layer, and why"};
constexpr std::array k_show_options = {k_directory_option, k_json_option, k_capture_option};
constexpr std::array<std::string_view, 2> k_list_examples = {"sheaf layer list", "sheaf layer list --json"};
constexpr std::array<std::string_view, 2> k_show_examples = {"sheaf layer show codex",
                                                             "sheaf layer show --capture codex"};

const store::StoredLayer* built_as(const std::vector<store::StoredLayer>& layers, const std::string& name) {
  const auto found = std::ranges::find_if(layers, [&](const auto& layer) { return layer.record.name == name; });
  return found != layers.end() ? &*found : nullptr;
}

Json to_json(const catalogue::LayerDefinition& layer, const store::StoredLayer* built) {
  return {{"name", layer.name},
          {"kind", to_string(layer.kind)},
          {"summary", layer.summary},
          {"origin", to_string(layer.origin)},
          {"needs", layer.needs},
          {"built", built != nullptr},
          {"bytes", built != nullptr ? Json(built->record.bytes) : Json(nullptr)},
          {"content_key", built != nullptr ? Json(built->record.content_key.to_string()) : Json(nullptr)}};
}

struct Listing {
  app::Project project;
  std::vector<store::StoredLayer> built;
};

Result<Listing> read(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(auto built, store.newest());
  return Listing{std::move(project), std::move(built)};
}

Result<int> list(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto listing, read(invocation));
  if (invocation.json()) {
    Json layers = Json::array();
    for (const auto& layer : listing.project.catalogue.all()) {
      layers.push_back(to_json(layer, built_as(listing.built, layer.name)));
    }
    Invocation::print(Json{{"layers", layers}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return 0;
  }
  ui::Table table({"LAYER", "KIND", "NEEDS", "FROM", "BUILT", "SUMMARY"});
  for (const auto& layer : listing.project.catalogue.all()) {
    const auto* built = built_as(listing.built, layer.name);
    table.add({layer.name, std::string(to_string(layer.kind)), layer.needs.empty() ? "-" : joined(layer.needs, ","),
               std::string(to_string(layer.origin)), built != nullptr ? human_bytes(built->record.bytes) : "-",
               layer.summary});
  }
  Invocation::print(table.to_string());
  return 0;
}

std::string commands_text(const catalogue::LayerDefinition& layer) {
  return layer.containerfile ? fmt::format("\n{}", layer.containerfile->text()) : std::string();
}

/// The files of the detect rules that fit, each once.
template <class Fits>
std::string files_of(const catalogue::LayerDefinition& layer, Fits&& fits) {
  std::vector<std::string> files;
  for (const auto& rule : layer.detect) {
    if (fits(rule) && std::ranges::find(files, rule.file) == files.end()) {
      files.push_back(rule.file);
    }
  }
  return joined(files, ", ");
}

/// "kubectl 1.36.1, helm 4.2.0"
std::string downloads_of(const catalogue::LayerDefinition& layer) {
  std::vector<std::string> pinned;
  for (const auto& artefact : layer.downloads.artefacts) {
    pinned.push_back(fmt::format("{} {}", artefact.name, artefact.current.version));
  }
  return joined(pinned, ", ");
}

std::string describe(const Listing& listing, const catalogue::LayerDefinition& layer) {
  std::string text = fmt::format("{}: {}\n", layer.name, layer.summary);
  const auto row = [&text](std::string_view title, const std::string& value) {
    if (!value.empty()) {
      text += fmt::format("  {:<12} {}\n", title, value);
    }
  };
  row("kind", std::string(to_string(layer.kind)) + (layer.is_volatile ? ", volatile" : ""));
  row("from", fmt::format("{}{}", to_string(layer.origin), layer.folder.empty() ? "" : " (" + layer.folder + ")"));
  for (const auto& other : listing.project.catalogue.shadowed(layer.name)) {
    row("shadows", fmt::format("{}{}", to_string(other.origin), other.folder.empty() ? "" : " (" + other.folder + ")"));
  }
  row("needs", joined(layer.needs, ", "));
  row("credentials", joined(layer.credentials, ", "));
  row("persistent", joined(layer.persistent, ", "));
  row("egress", joined(layer.egress, ", "));
  row("brings", layer.brings);
  row("downloads", downloads_of(layer));
  row("detected by", files_of(layer, [](const auto& rule) { return rule.calls; }));
  row("version by", files_of(layer, [](const auto& rule) { return !rule.version.empty(); }));
  if (const auto* built = built_as(listing.built, layer.name)) {
    const auto& record = built->record;
    row("built", fmt::format("{} in {} files, in {}", human_bytes(record.bytes), record.files,
                             human_milliseconds(static_cast<double>(record.build_ms))));
    row("content key", record.content_key.to_string());
    row("recipe key", record.recipe_key.to_string());
    row("built on", joined(record.needs, ", "));
  } else {
    row("built", "not yet");
  }
  return text + commands_text(layer);
}

/// How many entries each class dropped from the newest build; nothing if it was not built, or not counted.
std::optional<std::map<std::string, int>> dropped_from(const store::StoredLayer* built) {
  if (built == nullptr || !built->record.dropped) {
    return std::nullopt;
  }
  std::map<std::string, int> classes;
  for (const auto& dropped : *built->record.dropped) {
    classes[dropped.kind] += dropped.entries;
  }
  return classes;
}

std::string capture_json(const catalogue::LayerDefinition& layer, const store::StoredLayer* built) {
  Json rules = Json::array();
  const layer::CaptureRules table(layer.capture);
  for (std::size_t i = 0; i < table.all().size(); ++i) {
    const auto& rule = table.all()[i];
    rules.push_back({{"path", rule.path},
                     {"class", rule.kind},
                     {"reason", rule.reason},
                     {"target", rule.target.empty() ? Json(nullptr) : Json(rule.target)},
                     {"from", i < layer.capture.size() ? "layer" : "builtin"}});
  }
  const auto dropped = dropped_from(built);
  return Json{{"name", layer.name}, {"rules", rules}, {"dropped", dropped ? Json(*dropped) : Json(nullptr)}}.dump(
             2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

std::string capture_text(const catalogue::LayerDefinition& layer, const store::StoredLayer* built) {
  ui::Table table({"PATH", "CLASS", "FROM", "REASON"});
  const layer::CaptureRules rules(layer.capture);
  for (std::size_t i = 0; i < rules.all().size(); ++i) {
    const auto& rule = rules.all()[i];
    table.add({rule.target.empty() ? rule.path : fmt::format("{} -> {}", rule.path, rule.target), rule.kind,
               i < layer.capture.size() ? "layer" : "builtin", rule.reason});
  }
  auto text = table.to_string();
  const auto dropped = dropped_from(built);
  if (!dropped) {
    return text + (built == nullptr ? "\nnot built yet\n" : "\nbuilt before dropped entries were counted\n");
  }
  text += dropped->empty() ? "\nnothing was dropped from the newest build\n" : "\ndropped from the newest build:\n";
  for (const auto& [kind, entries] : *dropped) {
    text += fmt::format("  {:<10} {}\n", kind, entries);
  }
  return text;
}

Result<int> show(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto listing, read(invocation));
  const auto& name = invocation.operands.front();
  const auto* layer = listing.project.catalogue.find(name);
  if (layer == nullptr) {
    return Error(ErrorCode::not_found, fmt::format("no layer is called '{}'", name))
        .with_hint(did_you_mean(name, listing.project.catalogue.names()));
  }
  if (invocation.options.contains("capture")) {
    const auto* built = built_as(listing.built, name);
    Invocation::print(invocation.json() ? capture_json(*layer, built) : capture_text(*layer, built));
    return 0;
  }
  Invocation::print(invocation.json() ? to_json(*layer, built_as(listing.built, name))
                                                .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                                            "\n"
                                      : describe(listing, *layer));
  return 0;
}

} // namespace

const Command k_layer_list = {
    "layer list",
    "list the layers of the catalogue",
    "Shows every layer that can be selected here: built in, your own and the project's, and whether it is built.",
    {"", 0, 0},
    k_options,
    k_list_examples,
    list};

const Command k_layer_show = {
    "layer show",
    "show one layer: where it comes from, what it needs, how it is built",
    "Prints the definition that won, what it shadows, the state of its newest build, and its Containerfile. "
    "With --capture: the table of what is dropped when the layer is captured, its own rows first, and how many entries "
    "each class dropped from the newest build.",
    {"NAME", 1, 1},
    k_show_options,
    k_show_examples,
    show};

} // namespace sheaf::cli
