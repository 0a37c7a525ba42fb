// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is known of registries by host: how to reach them and who we are there.

#include "base/result.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::registry {

struct Credential {
  std::string username;
  std::string password;
  /// An OAuth2 refresh token instead of a password; empty if there is none.
  std::string identity_token;
  bool operator==(const Credential&) const = default;
};

struct HostSettings {
  /// Plain HTTP where HTTPS does not answer, and certificates that nobody vouches for. Hosts that are this machine are
  /// taken so without being named.
  bool insecure = false;
  /// Asked before the host itself, in order: "host[:port][/prefix]".
  std::vector<std::string> mirrors;
  /// Paths of PEM files; empty: those of the system, and /etc/docker/certs.d, /etc/containers/certs.d and
  /// ~/.config/containers/certs.d as docker and podman read them.
  std::string authorities;
  std::string client_certificate;
  std::string client_key;
  bool operator==(const HostSettings&) const = default;
};

struct Hosts {
  std::map<std::string, HostSettings> settings;
  /// For a host, and for the repository "host/name" if given more precisely; nothing if there is none.
  std::function<Result<std::optional<Credential>>(const std::string& host, const std::string& repository)> credential;
};

} // namespace sheaf::registry
