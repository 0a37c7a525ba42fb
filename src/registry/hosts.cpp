// SPDX-License-Identifier: Apache-2.0
#include "registry/hosts.hpp"

#include "net/url.hpp"
#include "os/file.hpp"
#include "registry/credentials.hpp"

#include <fmt/format.h>

#include <memory>

namespace sheaf::registry {
namespace {

/// What lies in one folder of a certs.d.
Result<void> read_certificates(const std::string& folder, net::Trust& trust) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder).context("looking for certificates of a registry"));
  for (const auto& [name, type] : entries) {
    const auto path = fmt::format("{}/{}", folder, name);
    if (name.ends_with(".crt")) {
      trust.authorities.push_back(path);
    } else if (name.ends_with(".cert")) {
      trust.client_certificate = path;
      trust.client_key = path.substr(0, path.size() - 4) + "key";
      if (!os::exists(trust.client_key)) {
        return Error(ErrorCode::invalid, fmt::format("the certificate '{}' lacks its key", path))
            .with_hint(fmt::format("put the key into '{}'", trust.client_key));
      }
    }
  }
  return {};
}

bool is_empty(const net::Trust& trust) { return trust.authorities.empty() && trust.client_certificate.empty(); }

Result<net::Trust> trust_in(const Hosts& hosts, const std::string& host, const HostSettings& settings) {
  net::Trust trust;
  if (!settings.authorities.empty()) {
    trust.authorities = {settings.authorities};
  }
  trust.client_certificate = settings.client_certificate;
  trust.client_key = settings.client_key;
  for (const auto& all_hosts : hosts.certificate_folders) {
    const auto folder = fmt::format("{}/{}", all_hosts, host);
    if (is_empty(trust) && os::is_directory(folder)) {
      SHEAF_TRY(read_certificates(folder, trust));
    }
  }
  return trust;
}

} // namespace

std::vector<std::string> usual_certificate_folders() {
  std::vector<std::string> folders;
  if (const auto home = os::environment("HOME")) {
    const auto config = os::environment("XDG_CONFIG_HOME").value_or(*home + "/.config");
    folders = {config + "/containers/certs.d", config + "/docker/certs.d"};
  }
  folders.emplace_back("/etc/containers/certs.d");
  folders.emplace_back("/etc/docker/certs.d");
  return folders;
}

Hosts hosts_of_this_machine() {
  Hosts hosts;
  const auto files = std::make_shared<const Credentials>(CredentialPlaces::of_environment());
  hosts.credential = [files](const std::string& host, const std::string& repository) {
    return files->find(host, repository);
  };
  hosts.certificate_folders = usual_certificate_folders();
  return hosts;
}

Result<Endpoint> endpoint_of(const Hosts& hosts, const std::string& host) {
  const auto found = hosts.settings.find(host);
  const auto& settings = found == hosts.settings.end() ? HostSettings() : found->second;
  Endpoint endpoint;
  endpoint.authority = host == "docker.io" ? "registry-1.docker.io" : host;
  SHEAF_TRY_ASSIGN(endpoint.trust, trust_in(hosts, host, settings));
  endpoint.may_be_plain = settings.insecure || (net::is_loopback(host) && endpoint.trust.authorities.empty());
  endpoint.trust.anyone = endpoint.may_be_plain;
  return endpoint;
}

} // namespace sheaf::registry
