// SPDX-License-Identifier: Apache-2.0
#include "app/pins.hpp"

#include "app/base_image.hpp"
#include "os/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>
#include <vector>

namespace sheaf::app {
namespace {

using Json = nlohmann::json;

/// Projects may define different layers under one name; and what a project's own layer says of the newest version of a
/// layer that stands on it is no word for other projects.
bool depends_on_project(const Project& project, const std::string& name) {
  std::vector<std::string> open = {name, base_layer(project)};
  std::set<std::string> seen;
  while (!open.empty()) {
    const auto next = std::move(open.back());
    open.pop_back();
    const auto* layer = seen.insert(next).second ? project.catalogue.find(next) : nullptr;
    if (layer != nullptr && layer->origin == catalogue::Origin::project) {
      return true;
    }
    if (layer != nullptr) {
      open.insert(open.end(), layer->needs.begin(), layer->needs.end());
    }
  }
  return catalogue::names_image(project.config.base.value_or(""));
}

std::string key_of(const Project& project, const std::string& name) {
  return depends_on_project(project, name) ? fmt::format("{} of {}", name, project.root) : name;
}

Result<Pins> read(const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(path));
  auto pins = text ? parse_pins(*text) : Result<Pins>(Pins());
  if (!pins) {
    return std::move(pins)
        .error()
        .with_context(fmt::format("reading '{}'", path))
        .with_hint("remove it: which versions were the newest is then asked again");
  }
  return pins;
}

} // namespace

std::string pins_path(const std::string& store_root) { return store_root + "/pins.json"; }

Result<Pins> parse_pins(std::string_view text) {
  Pins pins;
  try {
    const auto json = Json::parse(text);
    for (const auto& [name, pin] : json.at("layers").items()) {
      pins[name] = {pin.at("version"), pin.at("refreshed"), pin.at("checked")};
    }
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, fmt::format("it holds no pins of layers: {}", error.what()));
  }
  return pins;
}

Result<Pins> pins_of(const Project& project, const store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto kept, read(pins_path(store.root())));
  Pins pins;
  for (const auto& [key, pin] : kept) {
    const auto name = key.substr(0, key.find(' '));
    if (project.catalogue.find(name) != nullptr && key == key_of(project, name)) {
      pins[name] = pin;
    }
  }
  if (project.lock) {
    for (const auto& [name, locked] : project.lock->layers) {
      pins[name] = {locked.version, locked.refreshed, 0};
    }
  }
  return pins;
}

Result<void> save_pins(const Project& project, const Pins& changed, store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto lock, store.lock_key("pins"));
  const auto path = pins_path(store.root());
  SHEAF_TRY_ASSIGN(auto pins, read(path));
  for (const auto& [name, pin] : changed) {
    pins[key_of(project, name)] = pin;
  }
  Json layers = Json::object();
  for (const auto& [name, pin] : pins) {
    layers[name] = {{"version", pin.version}, {"refreshed", pin.refreshed}, {"checked", pin.checked}};
  }
  const auto text = Json{{"layers", layers}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return store::write_file(store.root(), path, text, os::Durable::yes);
}

} // namespace sheaf::app
