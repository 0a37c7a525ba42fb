// SPDX-License-Identifier: Apache-2.0
#include "app/registry_image.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace sheaf::app {
namespace {

/// Which repositories had a blob when we last dealt with them: "host/repository" lines below blob-places/. Only a
/// hint for mounts, so that nothing is lost with it.
class BlobPlaces {
public:
  explicit BlobPlaces(store::Store& store) : m_store(store) {}

  std::vector<std::string> of(const Digest& blob) {
    const auto text = os::read_file(path(blob));
    std::vector<std::string> places;
    for (const auto line : split(text ? std::string_view(*text) : std::string_view(), '\n')) {
      if (!line.empty()) {
        places.emplace_back(line);
      }
    }
    return places;
  }

  void add(const Digest& blob, const oci::Reference& image) {
    auto places = of(blob);
    const auto place = image.registry + "/" + image.repository;
    if (std::ranges::find(places, place) == places.end() && m_store.folder("blob-places")) {
      constexpr std::size_t k_most = 8;
      places.insert(places.begin(), place);
      places.resize(std::min(places.size(), k_most));
      ignore(store::write_file(m_store.root(), path(blob), joined(places, "\n") + "\n"), "remembering where a blob is");
    }
  }

  /// Repositories of the registry of `image`, its own left out.
  std::vector<std::string> beside(const Digest& blob, const oci::Reference& image) {
    std::vector<std::string> repositories;
    for (const auto& place : of(blob)) {
      if (place.starts_with(image.registry + "/") && place.substr(image.registry.size() + 1) != image.repository) {
        repositories.push_back(place.substr(image.registry.size() + 1));
      }
    }
    return repositories;
  }

private:
  std::string path(const Digest& blob) const { return m_store.root() + "/blob-places/" + blob.hex(); }
  store::Store& m_store;
};

class RegistrySource : public image::ImageSource {
public:
  RegistrySource(registry::Client& client, oci::Reference image, store::Store& store, std::string name)
      : m_client(client), m_image(std::move(image)), m_places(store), m_name(std::move(name)) {}

  std::string name() const override { return m_name; }

  Result<image::ManifestText> top(std::stop_token stop) override { return fetch(m_image, std::move(stop)); }

  Result<image::ManifestText> manifest(const oci::Descriptor& wanted, std::stop_token stop) override {
    auto image = m_image;
    image.digest = wanted.digest;
    return fetch(image, std::move(stop));
  }

  Result<void> blob(const oci::Descriptor& wanted, const image::Sink& sink, std::stop_token stop) override {
    SHEAF_TRY(m_client.fetch_blob(m_image, wanted, sink, std::move(stop)));
    m_places.add(wanted.digest, m_image);
    return {};
  }

private:
  Result<image::ManifestText> fetch(const oci::Reference& image, std::stop_token stop) {
    SHEAF_TRY_ASSIGN(auto fetched, m_client.manifest(image, std::move(stop)));
    return image::ManifestText{std::move(fetched.text), std::move(fetched.media_type), fetched.digest};
  }

  registry::Client& m_client;
  oci::Reference m_image;
  BlobPlaces m_places;
  std::string m_name;
};

class RegistryTarget : public image::ImageTarget {
public:
  RegistryTarget(registry::Client& client, oci::Reference image, store::Store& store)
      : m_client(client), m_image(std::move(image)), m_places(store) {}

  std::string name() const override { return m_image.familiar(); }

  Result<bool> has(const oci::Descriptor& blob, std::stop_token stop) override {
    SHEAF_TRY_ASSIGN(const bool there, m_client.has_blob(m_image, blob.digest, std::move(stop)));
    if (there) {
      m_places.add(blob.digest, m_image);
    }
    return there;
  }

  Result<void> put_blob(const oci::Descriptor& blob, const os::Fd& file, std::stop_token stop) override {
    SHEAF_TRY(m_client.push_blob(m_image, blob, file, m_places.beside(blob.digest, m_image), std::move(stop)));
    m_places.add(blob.digest, m_image);
    return {};
  }

  Result<void> put_manifest(const oci::Descriptor& manifest, std::string_view text, Place place,
                            std::stop_token stop) override {
    auto image = m_image;
    if (place == Place::by_digest) {
      image.tag.clear();
      image.digest = manifest.digest;
    }
    SHEAF_TRY(m_client.push_manifest(image, text, manifest.media_type, std::move(stop)));
    return {};
  }

  Result<void> finish() override { return {}; }

private:
  registry::Client& m_client;
  oci::Reference m_image;
  BlobPlaces m_places;
};

} // namespace

std::unique_ptr<image::ImageSource> registry_source(registry::Client& client, const oci::Reference& image,
                                                    store::Store& store, const std::string& name) {
  return std::make_unique<RegistrySource>(client, image, store, name.empty() ? image.familiar() : name);
}

std::unique_ptr<image::ImageTarget> registry_target(registry::Client& client, const oci::Reference& image,
                                                    store::Store& store) {
  return std::make_unique<RegistryTarget>(client, image, store);
}

} // namespace sheaf::app
