// SPDX-License-Identifier: Apache-2.0
#pragma once

// The registries of tests/functional/registries.py, and what tests do with them again and again.

#include "net/http_client.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "os/fd.hpp"
#include "registry/client.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

/// An address, a path or a name that registries.py printed; they are started by the first call.
std::string server(const std::string& name);
/// "[::ffff:7f00:1]:PORT": this machine by a name that is not taken for it.
std::string elsewhere(const std::string& name);

/// Quick to try again; no files of this machine.
Hosts test_hosts();
/// With name and password for all hosts.
Hosts known_hosts();
/// `rules` as fault_proxy.py explains them.
void set_rules(const std::string& proxy, const nlohmann::json& rules);
/// What the proxy saw since the last call: objects with "method", "path", "headers".
std::vector<nlohmann::json> requests(const std::string& proxy, const std::string& method);

/// "HOST/REPOSITORY:TAG"
oci::Reference image(const std::string& text);
/// Bytes that no other call with another seed gives.
std::string content(std::size_t size, unsigned seed);
oci::Descriptor descriptor_of(std::string_view bytes);
os::Fd file_of(std::string_view bytes);
Result<PushOutcome> push(Client& client, const oci::Reference& to, std::string_view bytes,
                         const std::vector<std::string>& from = {});
Result<std::string> fetch(Client& client, const oci::Reference& from, const oci::Descriptor& blob);
/// A manifest of one layer, pushed with its blobs; gives the layer's descriptor.
oci::Descriptor push_image(Client& client, const oci::Reference& to, std::string_view layer);

} // namespace sheaf::registry
