// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.hpp"
#include "app/project_plan.hpp"
#include "app/up.hpp"
#include "catalogue/project_config.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "os/file.hpp"
#include "resolve/detection.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace sheaf::cli {
namespace {

constexpr std::array k_show_options = {k_directory_option, k_agents_option, k_layers_option, k_base_option,
                                       k_json_option};
constexpr std::array k_check_options = {k_directory_option};
constexpr std::array k_edit_options = {k_directory_option,
                                       Option{"user", 0, "", "the settings of all your projects: config.yml"}};
constexpr std::array k_init_options = {k_directory_option,
                                       Option{"print", 0, "", "print it instead of writing a file"}};
constexpr std::array<std::string_view, 2> k_show_examples = {"sheaf config show", "sheaf config show --json"};
constexpr std::array<std::string_view, 1> k_check_examples = {"sheaf config check"};
constexpr std::array<std::string_view, 2> k_edit_examples = {"sheaf config edit", "sheaf config edit --user"};
constexpr std::array<std::string_view, 2> k_init_examples = {"sheaf init", "sheaf init --print"};

/// What holds where nobody sets it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> k_defaults = {
    {{"base", "base"}, {"agents", "none"}}};

std::vector<catalogue::ConfigValue> values_of(const catalogue::ProjectConfig& config) {
  auto values = catalogue::show(config);
  for (const auto& [key, value] : k_defaults) {
    if (std::ranges::find(values, key, &catalogue::ConfigValue::key) == values.end()) {
      values.push_back({std::string(key), std::string(value), "built in"});
    }
  }
  return values;
}

Result<int> show(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  const auto values = values_of(project.config);
  if (invocation.json()) {
    auto list = nlohmann::json::array();
    for (const auto& value : values) {
      list.push_back({{"key", value.key}, {"value", value.value}, {"origin", value.origin}});
    }
    Invocation::print(nlohmann::json{{"project", project.root}, {"values", list}}.dump(
                          2, ' ', false, nlohmann::json::error_handler_t::replace) +
                      "\n");
    return 0;
  }
  ui::Table table({"KEY", "VALUE", "FROM"});
  for (const auto& value : values) {
    table.add({value.key, value.value, value.origin});
  }
  Invocation::print(table.to_string());
  return 0;
}

Result<int> check(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(const auto wanted,
                   app::want(project, {store, *invocation.events, invocation.stop()}, app::Fetch::no));
  app::warn_unused(project, *invocation.events);
  for (const auto& warning : app::version_warnings(wanted.detection, wanted.versions)) {
    invocation.events->emit({EventKind::warning, "", warning});
  }
  if (!wanted.warnings.empty()) {
    invocation.events->emit({EventKind::warning, "", wanted.warnings});
  }
  Invocation::print(fmt::format("no mistakes in the settings of '{}' and in {} layers\n", project.root,
                                project.catalogue.all().size()));
  return 0;
}

/// A new file's text, from what `directory` itself holds, whatever project it lies in.
Result<std::string> starter(const Invocation& invocation, const std::string& directory) {
  SHEAF_TRY_ASSIGN(const auto project, app::load_project(invocation.choices()));
  SHEAF_TRY_ASSIGN(const auto detection, detect::detect(directory, resolve::detection_rules(project.catalogue)));
  return app::starter_config(project.catalogue, detection);
}

Result<int> edit(Invocation& invocation) {
  app::EditedConfig config;
  if (invocation.has("user")) {
    config = {app::user_config_folder() + "/config.yml", app::ConfigLevel::user, "# Settings of all projects.\n"};
  } else {
    SHEAF_TRY_ASSIGN(const auto root, app::project_root(invocation.choices().directory));
    config.path = root + "/sheaf.yml";
    if (!os::exists(config.path)) {
      SHEAF_TRY_ASSIGN(config.starter, starter(invocation, root));
    }
  }
  SHEAF_TRY_ASSIGN(const bool changed, app::edit_config(config, *invocation.events, invocation.stop()));
  Invocation::print(fmt::format("{} '{}'\n", changed ? "changed" : "nothing changed in", config.path));
  return 0;
}

Result<int> init(Invocation& invocation) {
  const auto directory = invocation.choices().directory;
  SHEAF_TRY_ASSIGN(const auto folder, os::real_path(directory.empty() ? "." : directory).context("starting a project"));
  SHEAF_TRY_ASSIGN(const auto text, starter(invocation, folder));
  if (invocation.has("print")) {
    Invocation::print(text);
    return 0;
  }
  SHEAF_TRY(app::create_config(folder + "/sheaf.yml", text));
  Invocation::print(fmt::format("wrote '{}/sheaf.yml'\n", folder));
  return 0;
}

} // namespace

const Command k_config_show = {
    "config show",
    "show every setting and where it comes from",
    "Prints the settings that hold for the project, each with the place that won: an option, a variable of the "
    "environment, sheaf.yml, the user's config.yml, or what is built in.",
    {"", 0, 0},
    k_show_options,
    k_show_examples,
    show};

const Command k_config_check = {
    "config check",
    "read all settings and layers and report every mistake",
    "Reads sheaf.yml, config.yml, the layers of all catalogues and the Containerfiles of the stack, and prints every "
    "mistake with file, line and column. Builds and changes nothing.",
    {"", 0, 0},
    k_check_options,
    k_check_examples,
    check};

const Command k_config_edit = {
    "config edit",
    "change the settings in an editor",
    "Opens sheaf.yml, or with --user config.yml, in $VISUAL, $EDITOR or vi. What you write is checked before it takes "
    "the file's place; if there is a mistake the file stays as it was, and the next call goes on with your text.",
    {"", 0, 0},
    k_edit_options,
    k_edit_examples,
    edit};

const Command k_init = {
    "init",
    "write a commented sheaf.yml for this folder",
    "Looks at the folder's files and writes a sheaf.yml that says what was found and what can be set, all as comments: "
    "it changes nothing until you do. A sheaf.yml that is there is kept.",
    {"", 0, 0},
    k_init_options,
    k_init_examples,
    init};

} // namespace sheaf::cli
