// SPDX-License-Identifier: Apache-2.0
// Manifests that refer to another. Source: OCI distribution-spec 1.1, "Listing Referrers", "Pushing Manifests with
// Subject", "Referrers Tag Schema".
#include "registry/answer.hpp"
#include "registry/client_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::registry {
namespace {

constexpr std::uint64_t k_largest_index = 4U << 20U;
constexpr int k_most_pages = 100;
/// Another client may write the same index between our reading and writing it.
constexpr int k_index_attempts = 4;

/// The tag of the index that stands in for the referrers API.
oci::Reference index_of(const oci::Reference& image, const Digest& subject) {
  return {image.registry, image.repository, "sha256-" + subject.hex(), std::nullopt};
}

Result<oci::Index> parse_index(std::string_view text, std::string_view media_type) {
  SHEAF_TRY_ASSIGN(auto parsed, oci::parse_manifest(text, media_type));
  auto* index = std::get_if<oci::Index>(&parsed);
  if (index == nullptr) {
    return Error(ErrorCode::corrupt, "the list of referrers is no image index");
  }
  return std::move(*index);
}

/// Nothing if the registry has no referrers API.
Result<std::optional<std::vector<oci::Descriptor>>> ask_api(const Place& place, const Digest& subject,
                                                            const std::stop_token& stop) {
  std::vector<oci::Descriptor> all;
  auto url = place.path("referrers/" + subject.to_string());
  for (int page = 0; !url.empty() && page < k_most_pages; ++page) {
    net::Request request;
    request.url = url;
    request.most_bytes = k_largest_index;
    net::set_header(request.headers, "accept", oci::media_type::k_index);
    SHEAF_TRY_ASSIGN(const auto response, place.session->send(place.pull(), std::move(request), stop));
    // Registries that do not know the API answer 404; some of those that route everything give a page of their own.
    const bool is_index = response.header("content-type").starts_with(oci::media_type::k_index);
    if (response.status == 404 || response.status == 405 || (response.ok() && !is_index)) {
      return std::optional<std::vector<oci::Descriptor>>();
    }
    if (!response.ok()) {
      return place.session->error_of(response);
    }
    SHEAF_TRY_ASSIGN(const auto index, parse_index(response.body, oci::media_type::k_index));
    all.insert(all.end(), index.manifests.begin(), index.manifests.end());
    url.clear();
    if (const auto next = next_page(response.header("link"))) {
      SHEAF_TRY_ASSIGN(const auto here, net::Url::parse(response.url));
      SHEAF_TRY_ASSIGN(const auto there, net::resolve(here, *next));
      url = there.to_string();
    }
  }
  return std::optional(std::move(all));
}

/// The index under the tag; an empty one if there is none yet.
Result<oci::Index> tagged_index(Client& client, const oci::Reference& tag, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(const auto digest, client.digest_of(tag, stop));
  if (!digest) {
    oci::Index index;
    index.media_type = oci::media_type::k_index;
    return index;
  }
  auto exactly = tag;
  exactly.digest = digest;
  SHEAF_TRY_ASSIGN(const auto manifest, client.manifest(exactly, stop));
  return parse_index(manifest.text, manifest.media_type);
}

bool lists(const oci::Index& index, const Digest& digest) {
  return std::ranges::find(index.manifests, digest, &oci::Descriptor::digest) != index.manifests.end();
}

oci::Descriptor descriptor_of(const oci::Manifest& manifest, std::string_view text) {
  oci::Descriptor descriptor;
  descriptor.media_type = manifest.media_type;
  descriptor.digest = Digest::of(text);
  descriptor.size = text.size();
  descriptor.artifact_type = manifest.artifact_type.empty() ? manifest.config.media_type : manifest.artifact_type;
  descriptor.annotations = manifest.annotations;
  return descriptor;
}

/// Adds to the index of the tag schema. There is no way to lock it: it is read again afterwards.
Result<void> add_to_index(Client& client, const oci::Reference& tag, const oci::Descriptor& referrer,
                          const std::stop_token& stop) {
  for (int attempt = 0; attempt < k_index_attempts; ++attempt) {
    SHEAF_TRY_ASSIGN(auto index, tagged_index(client, tag, stop));
    if (lists(index, referrer.digest)) {
      return {};
    }
    index.manifests.push_back(referrer);
    SHEAF_TRY(client.push_manifest(tag, oci::serialise(index), oci::media_type::k_index, stop));
  }
  return Error(ErrorCode::busy, "others write the list of referrers all the time").with_hint("try again");
}

} // namespace

Result<std::vector<oci::Descriptor>> Client::referrers(const oci::Reference& image, const Digest& subject,
                                                       std::stop_token stop) {
  const auto doing =
      fmt::format("listing what refers to {} in '{}/{}'", subject.to_string(), image.registry, image.repository);
  SHEAF_TRY_ASSIGN(auto listed, ask_api(m_impl->origin(image), subject, stop).context(doing));
  if (listed) {
    return std::move(*listed);
  }
  SHEAF_TRY_ASSIGN(auto index, tagged_index(*this, index_of(image, subject), stop).context(doing));
  return std::move(index.manifests);
}

Result<Digest> Client::push_referrer(const oci::Reference& image, const oci::Manifest& manifest, std::stop_token stop) {
  const auto doing = fmt::format("pushing a referrer to '{}/{}'", image.registry, image.repository);
  if (!manifest.subject) {
    return Error(ErrorCode::internal, fmt::format("{}: it has no subject", doing));
  }
  const auto text = oci::serialise(manifest);
  const oci::Reference untagged{image.registry, image.repository, {}, Digest::of(text)};
  SHEAF_TRY_ASSIGN(const auto answer, m_impl->put_manifest(untagged, text, manifest.media_type, stop));
  if (!answer.took_subject) { // as a registry with the API must say that it did
    SHEAF_TRY(add_to_index(*this, index_of(image, manifest.subject->digest), descriptor_of(manifest, text), stop)
                  .context(doing));
  }
  return answer.digest;
}

} // namespace sheaf::registry
