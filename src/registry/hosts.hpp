// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is known of registries by host: how to reach them and who we are there.

#include "base/result.hpp"
#include "net/request.hpp"

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
  /// taken so without being named, unless there are authorities for them.
  bool insecure = false;
  /// Asked before the host itself, in order: "host[:port][/prefix]".
  std::vector<std::string> mirrors;
  /// Paths of PEM files; empty: those of the system, and what `Hosts::certificate_folders` have for the host.
  std::string authorities;
  std::string client_certificate;
  std::string client_key;
  bool operator==(const HostSettings&) const = default;
};

struct Hosts {
  std::map<std::string, HostSettings> settings;
  /// For a host, and for the repository "host/name" if given more precisely; nothing if there is none.
  std::function<Result<std::optional<Credential>>(const std::string& host, const std::string& repository)> credential;
  /// Folders of folders "HOST[:PORT]" with *.crt (authorities) and NAME.cert, NAME.key (who we are), as docker and
  /// podman have them; the first that knows the host counts.
  std::vector<std::string> certificate_folders;
  net::RetryPolicy retry;
};

/// With the credentials and the certificates that docker and podman would find here; no settings.
Hosts hosts_of_this_machine();
/// ~/.config/containers/certs.d, ~/.config/docker/certs.d, /etc/containers/certs.d, /etc/docker/certs.d.
std::vector<std::string> usual_certificate_folders();

/// How a host is to be reached.
struct Endpoint {
  /// "registry-1.docker.io" for "docker.io".
  std::string authority;
  net::Trust trust;
  /// Plain HTTP will do.
  bool may_be_plain = false;
};
/// `not_found`, `denied`, … if a folder of certificates cannot be read; `invalid` for a certificate without its key.
Result<Endpoint> endpoint_of(const Hosts& hosts, const std::string& host);

} // namespace sheaf::registry
