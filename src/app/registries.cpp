// SPDX-License-Identifier: Apache-2.0
#include "app/registries.hpp"

#include "app/project.hpp"
#include "catalogue/project_config.hpp"
#include "os/file.hpp"
#include "registry/credential_file.hpp"
#include "registry/credentials.hpp"

#include <memory>
#include <utility>

namespace sheaf::app {
namespace {

std::string expand_home(const std::string& path) {
  return path.starts_with("~/") ? os::environment("HOME").value_or("") + path.substr(1) : path;
}

registry::HostSettings settings_from(const catalogue::RegistrySettings& settings) {
  return {settings.insecure, settings.mirrors, expand_home(settings.authorities),
          expand_home(settings.client_certificate), expand_home(settings.client_key)};
}

Result<registry::Hosts> hosts() {
  auto hosts = registry::hosts_of_this_machine();
  const auto path = user_config_folder() + "/config.yml";
  SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(path));
  if (text) {
    Diagnostics diagnostics;
    const auto config = catalogue::parse_config(std::make_shared<SourceText>(path, std::move(*text)), diagnostics);
    if (!config) {
      return diagnostics.to_error("reading the settings of registries");
    }
    for (const auto& [host, settings] : config->registries) {
      hosts.settings.emplace(host, settings_from(settings));
    }
  }
  return hosts;
}

} // namespace

Result<registry::Client> registry_client() {
  SHEAF_TRY_ASSIGN(auto known, hosts());
  return registry::Client(std::move(known));
}

Result<std::string> log_in(const std::string& text, const registry::Credential& credential, std::stop_token stop) {
  const auto host = registry::normal_key(text);
  SHEAF_TRY_ASSIGN(auto client, registry_client());
  SHEAF_TRY(client.check_login(host, credential, std::move(stop)));
  return registry::Credentials(registry::CredentialPlaces::of_environment()).save(host, credential);
}

Result<std::vector<std::string>> log_out(const std::string& host) {
  return registry::Credentials(registry::CredentialPlaces::of_environment()).remove(registry::normal_key(host));
}

} // namespace sheaf::app
