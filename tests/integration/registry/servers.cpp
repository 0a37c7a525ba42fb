// SPDX-License-Identifier: Apache-2.0
#include "integration/registry/servers.hpp"

#include "os/child.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <optional>
#include <random>

namespace sheaf::registry {
namespace {

/// registries.py, as long as this program runs.
class Servers {
public:
  Servers() {
    auto input = os::Pipe::create().value();
    auto output = os::Pipe::create().value();
    os::SpawnOptions options;
    options.argv = {"python3", "-B", SHEAF_TEST_DATA "/functional/registries.py"};
    options.descriptors = {{input.read.get(), 0}, {output.write.get(), 1}};
    m_child.emplace(os::Child::spawn(options).value());
    m_input = std::move(input.write);
    output.write = {};
    std::string line;
    for (char c = 0; read(output.read.get(), &c, 1) == 1 && c != '\n';) {
      line += c;
    }
    m_places = nlohmann::json::parse(line);
  }
  ~Servers() {
    m_input = {}; // its end is the sign to stop
    ignore(m_child->wait(), "there is nothing left to test");
  }
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  std::string place(const std::string& name) const { return m_places.at(name).get<std::string>(); }

private:
  os::Fd m_input;
  std::optional<os::Child> m_child;
  nlohmann::json m_places;
};

} // namespace

std::string server(const std::string& name) {
  static const Servers servers;
  return servers.place(name);
}

std::string elsewhere(const std::string& name) {
  const auto address = server(name);
  return server("elsewhere") + address.substr(address.rfind(':'));
}

Hosts test_hosts() {
  Hosts hosts;
  hosts.retry.first_delay = std::chrono::milliseconds(20);
  return hosts;
}

Hosts known_hosts() {
  auto hosts = test_hosts();
  hosts.credential = [](const std::string&, const std::string&) -> Result<std::optional<Credential>> {
    return Credential{server("user"), server("password"), {}};
  };
  return hosts;
}

void set_rules(const std::string& proxy, const nlohmann::json& rules) {
  net::HttpClient http;
  net::Request request;
  request.method = "POST";
  request.url = "http://" + server(proxy) + "/__rules";
  request.body = rules.dump();
  ASSERT_TRUE(http.send(std::move(request), {}));
  requests(proxy, "");
}

std::vector<nlohmann::json> requests(const std::string& proxy, const std::string& method) {
  net::HttpClient http;
  net::Request request;
  request.url = "http://" + server(proxy) + "/__requests";
  const auto all = nlohmann::json::parse(http.send(std::move(request), {}).value().body);
  std::vector<nlohmann::json> chosen;
  for (const auto& seen : all) {
    if (seen.at("method") == method) {
      chosen.push_back(seen);
    }
  }
  return chosen;
}

oci::Reference image(const std::string& text) { return oci::Reference::parse(text).value(); }

std::string content(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (auto& c : bytes) {
    c = static_cast<char>(random());
  }
  return bytes;
}

oci::Descriptor descriptor_of(std::string_view bytes) {
  oci::Descriptor blob;
  blob.media_type = oci::layer_media_type(oci::Compression::none);
  blob.digest = Digest::of(bytes);
  blob.size = bytes.size();
  return blob;
}

os::Fd file_of(std::string_view bytes) { return os::memory_file(bytes).value(); }

Result<PushOutcome> push(Client& client, const oci::Reference& to, std::string_view bytes,
                         const std::vector<std::string>& from) {
  return client.push_blob(to, descriptor_of(bytes), file_of(bytes), from, {});
}

Result<std::string> fetch(Client& client, const oci::Reference& from, const oci::Descriptor& blob) {
  std::string bytes;
  SHEAF_TRY(client.fetch_blob(from, blob,
                              [&](std::string_view more) -> Result<void> {
                                bytes += more;
                                return {};
                              },
                              {}));
  return bytes;
}

oci::Descriptor push_image(Client& client, const oci::Reference& to, std::string_view layer) {
  oci::Manifest manifest;
  manifest.media_type = oci::media_type::k_manifest;
  const std::string config = R"({"os":"linux"})";
  manifest.config = descriptor_of(config);
  manifest.config.media_type = oci::media_type::k_config;
  manifest.layers = {descriptor_of(layer)};
  EXPECT_TRUE(push(client, to, config));
  EXPECT_TRUE(push(client, to, layer));
  const auto pushed = client.push_manifest(to, oci::serialise(manifest), manifest.media_type, {});
  EXPECT_TRUE(pushed) << pushed.error().render();
  return manifest.layers.front();
}

} // namespace sheaf::registry
