// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who we are at registries, from the files of docker and podman and from the programs docker-credential-NAME, and kept
// there. Source: docker login; containers-auth.json(5); docker-credential-helpers, "Development".

#include "base/result.hpp"
#include "registry/hosts.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sheaf::registry {

/// Where files with credentials may be; empty: not there.
struct CredentialPlaces {
  /// The only one, if set: REGISTRY_AUTH_FILE.
  std::string named;
  /// podman's: in XDG_RUNTIME_DIR, then in XDG_CONFIG_HOME or ~/.config.
  std::string of_session;
  std::string of_containers;
  /// In DOCKER_CONFIG or ~/.docker.
  std::string of_docker;

  static CredentialPlaces of_environment();
  /// In the order they are asked.
  std::vector<std::string> in_order() const;
};

/// Reads anew with every call; safe from several threads.
class Credentials {
public:
  explicit Credentials(CredentialPlaces places) : m_places(std::move(places)) {}

  /// Of the first file that has one; nothing if none has. `invalid` names the file that cannot be understood,
  /// `not_found` the helper program that is missing, `denied` what it says.
  Result<std::optional<Credential>> find(const std::string& host, const std::string& repository) const;
  /// Puts it where others are, else into docker's file: mode 0600, other content kept. Gives the path of the file, or
  /// the name of the helper program.
  Result<std::string> save(const std::string& host, const Credential& credential) const;
  /// Takes it out of all files and helpers; gives those that had it.
  Result<std::vector<std::string>> remove(const std::string& host) const;

private:
  std::string place_to_save() const;
  CredentialPlaces m_places;
};

} // namespace sheaf::registry
