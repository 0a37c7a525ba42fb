// SPDX-License-Identifier: Apache-2.0
#include "app/project.hpp"

#include "app/layer_folders.hpp"
#include "base/text.hpp"
#include "catalogue/builtin.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace sheaf::app {
namespace {

namespace cat = catalogue;

class Loader {
public:
  explicit Loader(Project& project) : m_project(project) {}

  Result<void> read_settings(const Choices& choices) {
    std::vector<cat::ProjectConfig> levels;
    levels.push_back(from_choices(choices));
    levels.push_back(from_environment());
    std::vector<cat::ProjectConfig> own;
    SHEAF_TRY(read_level(m_project.root + "/sheaf.yml", own));
    for (auto& level : own) {
      SHEAF_TRY(refuse_registries(level));
      m_project.suggested_caches = std::exchange(level.caches, {}).value_or(std::vector<std::string>());
      levels.push_back(std::move(level));
    }
    SHEAF_TRY(read_level(user_config_folder() + "/config.yml", levels));
    m_project.config = cat::merge(levels);
    return {};
  }

  Result<void> read_catalogue() {
    auto layers = cat::builtin_layers(m_diagnostics);
    SHEAF_TRY(read_folder(user_config_folder() + "/layers", cat::Origin::user, layers));
    SHEAF_TRY(read_folder(m_project.root + "/.sheaf/layers", cat::Origin::project, layers));
    m_project.catalogue = cat::Catalogue(std::move(layers));
    m_project.catalogue.check(m_diagnostics);
    return {};
  }

  /// An image that the settings name is the one that was locked, unless somebody asks for a newer one.
  Result<void> read_lock(const Choices& choices) {
    const auto path = lock_path(m_project.root);
    m_project.inputs.push_back(path);
    SHEAF_TRY_ASSIGN(auto text, read_plain_file(path));
    if (!text) {
      return choices.locked ? Error(ErrorCode::not_found, fmt::format("there is no '{}'", path))
                                  .with_hint("'sheaf lock' writes it")
                            : Result<void>();
    }
    const auto source = std::make_shared<SourceText>(display_path(path, m_project.root), std::move(*text));
    Diagnostics mistakes;
    m_project.lock = cat::parse_lock(source, choices.replaces_lock ? mistakes : m_diagnostics);
    m_project.lock_mistakes = mistakes.render();
    auto& base = m_project.config.base;
    if (m_project.lock && base && !choices.pull && m_project.lock->image.starts_with(*base + "@")) {
      base = m_project.lock->image;
    }
    return {};
  }

  const Diagnostics& diagnostics() const { return m_diagnostics; }

  static std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> list;
    for (const auto word : split(text, ',')) {
      if (!trim(word).empty()) {
        list.emplace_back(trim(word));
      }
    }
    return list;
  }

private:
  static cat::ProjectConfig from_choices(const Choices& choices) {
    cat::ProjectConfig config;
    const auto set = [&config](auto& slot, const auto& value, const std::string& key, const std::string& flag) {
      if (value) {
        slot = *value;
        config.origins[key] = flag;
      }
    };
    set(config.base, choices.base, "base", "--base");
    set(config.agents, choices.agents, "agents", "--agents");
    set(config.image, choices.image, "image", "--image");
    if (choices.layers) {
      config.layers = words(*choices.layers);
      config.origins["layers"] = "--layers";
    }
    return config;
  }

  static cat::ProjectConfig from_environment() {
    cat::ProjectConfig config;
    if (auto base = os::environment("SHEAF_BASE")) {
      config.base = std::move(base);
      config.origins["base"] = "SHEAF_BASE";
    }
    if (auto agents = os::environment("SHEAF_AGENTS")) {
      config.agents = std::move(agents);
      config.origins["agents"] = "SHEAF_AGENTS";
    }
    if (const auto caches = os::environment("SHEAF_CACHES")) {
      config.caches.emplace();
      for (const auto place : split(*caches, ' ')) {
        if (!place.empty()) {
          config.caches->emplace_back(place);
        }
      }
      config.origins["caches"] = "SHEAF_CACHES";
    }
    return config;
  }

  Result<void> read_level(const std::string& path, std::vector<cat::ProjectConfig>& levels) {
    m_project.inputs.push_back(path);
    SHEAF_TRY_ASSIGN(auto text, read_plain_file(path));
    if (text) {
      auto source = std::make_shared<SourceText>(display_path(path, m_project.root), std::move(*text));
      if (auto config = cat::parse_config(std::move(source), m_diagnostics)) {
        levels.push_back(std::move(*config));
      }
    }
    return {};
  }

  Result<void> read_folder(const std::string& folder, cat::Origin origin, std::vector<cat::LayerDefinition>& layers) {
    SHEAF_TRY_ASSIGN(auto found, read_layer_folders(folder, origin, m_project.root));
    std::ranges::move(found.layers, std::back_inserter(layers));
    std::ranges::move(found.inputs, std::back_inserter(m_project.inputs));
    for (const auto& diagnostic : found.diagnostics.all()) {
      m_diagnostics.add(diagnostic);
    }
    return {};
  }

  Project& m_project;
  Diagnostics m_diagnostics;
};

std::string base_name(const std::string& path) {
  const auto name = path.substr(path.find_last_of('/') + 1);
  return name.empty() ? "root" : name;
}

} // namespace

std::string user_config_folder() {
  if (const auto config = os::environment("XDG_CONFIG_HOME")) {
    return *config + "/sheaf";
  }
  return os::home_directory() + "/.config/sheaf";
}

Result<void> refuse_registries(const cat::ProjectConfig& level) {
  if (level.registries.empty()) {
    return {};
  }
  const auto origin = level.origins.find("registries." + level.registries.begin()->first);
  return Error(ErrorCode::invalid, fmt::format("{}: 'registries' cannot be set by a project",
                                               origin != level.origins.end() ? origin->second : "sheaf.yml"))
      .with_hint(fmt::format("write it into '{}/config.yml'", user_config_folder()));
}

Result<std::string> project_root(const std::string& directory) {
  SHEAF_TRY_ASSIGN(const auto start,
                   os::real_path(directory.empty() ? "." : directory).context("looking for the project"));
  for (auto folder = start; !folder.empty(); folder = folder.substr(0, folder.find_last_of('/'))) {
    if (os::exists(folder + "/sheaf.yml") || os::is_directory(folder + "/.sheaf")) {
      return folder;
    }
  }
  return start;
}

std::string lock_path(const std::string& root) { return root + "/sheaf.lock"; }

Result<Project> load_project(const Choices& choices) {
  Project project;
  SHEAF_TRY_ASSIGN(project.root, project_root(choices.directory));
  project.name = base_name(project.root);
  project.pull = choices.pull;
  project.locked = choices.locked;
  project.stack = choices.stack;
  project.added_layers = choices.layers ? Loader::words(*choices.layers) : std::vector<std::string>();
  project.added_agents = choices.agents.value_or("");
  Loader loader(project);
  SHEAF_TRY(loader.read_settings(choices));
  SHEAF_TRY(loader.read_catalogue());
  SHEAF_TRY(loader.read_lock(choices));
  if (loader.diagnostics().has_errors()) {
    return loader.diagnostics().to_error("reading the project's settings and layers");
  }
  return project;
}

} // namespace sheaf::app
