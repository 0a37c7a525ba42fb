// SPDX-License-Identifier: Apache-2.0
#include "app/image_project.hpp"

#include "app/build_stack.hpp"
#include "app/image_bases.hpp"
#include "app/project_environment.hpp"
#include "oci/reference.hpp"
#include "plan/image_names.hpp"
#include "resolve/agents.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::app {
namespace {

std::string said_by(const Project& project) {
  const auto found = project.config.origins.find("image");
  return found != project.config.origins.end() ? found->second : "--image";
}

Result<store::ImageRecord> find(const Project& project, const Session& session) {
  const auto& name = *project.config.image;
  if (auto mistake = catalogue::image_name_mistake(name)) {
    return std::move(*mistake).with_context(said_by(project));
  }
  return find_image(name, project.pull ? Pull::always : Pull::missing, session)
      .context(fmt::format("getting the image '{}' ({})", name, said_by(project)));
}

ConfigDelta config_of(const oci::ImageConfig& image) {
  ConfigDelta config;
  config.environment["PATH"] = plan::k_default_path;
  for (const auto& [name, value] : image.environment) {
    config.environment[name] = value;
  }
  config.user = image.user;
  config.directory = image.directory;
  config.command = image.command.value_or(std::vector<std::string>());
  config.entrypoint = image.entrypoint.value_or(std::vector<std::string>());
  return config;
}

Result<std::vector<std::string>> credentials_of(const Project& project) {
  std::vector<std::string> credentials;
  if (project.added_agents.empty()) {
    return credentials;
  }
  SHEAF_TRY_ASSIGN(const auto agents, resolve::select_agents(project.catalogue, project.added_agents));
  for (const auto& agent : agents) {
    const auto* definition = project.catalogue.find(agent);
    if (definition != nullptr && definition->origin != catalogue::Origin::project) {
      credentials.insert(credentials.end(), definition->credentials.begin(), definition->credentials.end());
    }
  }
  return credentials;
}

} // namespace

Result<Environment> image_environment(const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto record, find(project, session));
  Environment environment;
  environment.project = project.root;
  environment.project_name = project.name;
  environment.base_image = *project.config.image;
  environment.config = config_of(record.image.config);
  for (const auto& [name, value] : project_environment(project.config)) {
    environment.config.environment[name] = value;
  }
  SHEAF_TRY_ASSIGN(environment.lowers, session.store.trees_of(record));
  environment.in_use = session.store.in_use();
  if (environment.lowers.empty()) {
    return Error(ErrorCode::invalid, fmt::format("the image '{}' has no files", *project.config.image));
  }
  environment.mounts = project.config.mounts.value_or(std::vector<std::string>());
  const auto said = project.config.origins.find("mounts");
  environment.mounts_stay_in_project = said != project.config.origins.end() && said->second.starts_with("sheaf.yml");
  SHEAF_TRY_ASSIGN(environment.credentials, credentials_of(project));
  session.events.emit({EventKind::note, "image",
                       fmt::format("{} ({}) is used as it is; detection, layers and agents are left out",
                                   *project.config.image, said_by(project))});
  return environment;
}

Result<std::vector<std::string>> image_command(const Environment& environment,
                                               const std::vector<std::string>& arguments) {
  auto argv = environment.config.entrypoint;
  const auto& rest = arguments.empty() ? environment.config.command : arguments;
  argv.insert(argv.end(), rest.begin(), rest.end());
  if (argv.empty()) {
    return Error(ErrorCode::invalid, fmt::format("the image '{}' says nothing of what to run", environment.base_image))
        .with_hint(fmt::format("give a command: sheaf up --image {} -- COMMAND", environment.base_image));
  }
  return argv;
}

Result<PlannedLayer> examine_image(const Project& project, const Session& session) {
  PlannedLayer line;
  line.name = *project.config.image;
  line.kind = "image";
  line.reason = said_by(project);
  const auto record = find_image(line.name, Pull::never, session);
  if (!record && record.error().code() != ErrorCode::not_found) {
    return record.error();
  }
  const bool is_here = record && session.store.trees_of(*record);
  line.state = is_here ? LayerState::reused : LayerState::missing;
  line.action = is_here ? Action::reuse : Action::fetch;
  line.why = is_here ? "is in the store, used as it is" : "is not here yet; 'sheaf up' fetches it";
  return line;
}

Result<StackImage> name_image(const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto record, find(project, session));
  StackImage image;
  image.name = plan::project_image_name(project.name, {});
  SHEAF_TRY_ASSIGN(image.id, session.store.save_image(record));
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(image.name));
  SHEAF_TRY(session.store.tag(reference, image.id));
  return image;
}

} // namespace sheaf::app
