// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file in which docker (config.json) and podman (auth.json) keep who one is at registries. Pure; other content
// stays as it is. Source: docker login, "Credential stores"; containers-auth.json(5).

#include "base/result.hpp"
#include "registry/hosts.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

class CredentialFile {
public:
  /// `invalid` says what is wrong; an empty text is an empty file.
  static Result<CredentialFile> parse(std::string_view text);
  CredentialFile(CredentialFile&&) noexcept;
  CredentialFile& operator=(CredentialFile&&) noexcept;
  ~CredentialFile();

  /// What is kept here for the longest prefix of `repository` ("host/path"), or for `host`; `invalid` if it cannot be
  /// decoded. Names of docker.io, also docker's own old one, are the same.
  Result<std::optional<Credential>> find(const std::string& host, const std::string& repository) const;
  /// Name of the program docker-credential-NAME that keeps those of `host`; empty if none does.
  std::string helper_of(const std::string& host) const;
  bool has_credentials() const;

  void set(const std::string& host, const Credential& credential);
  /// False if there was nothing of this host.
  bool erase(const std::string& host);
  std::string to_string() const;

private:
  struct State;
  explicit CredentialFile(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

/// "https://index.docker.io/v1/" → "docker.io", "https://host/v2/" → "host"; without a scheme a path stays.
std::string normal_key(std::string_view key);
/// What docker calls the host in its files and to its helpers.
std::string docker_key(const std::string& host);

} // namespace sheaf::registry
