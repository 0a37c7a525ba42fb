// SPDX-License-Identifier: Apache-2.0
// Reading from a registry: manifests, blobs, tags. Source: OCI distribution-spec 1.1, "Pull" and "Content Discovery".
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "registry/answer.hpp"
#include "registry/client_state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sheaf::registry {
namespace {

namespace media_type = oci::media_type;

/// What the distribution-spec asks registries to accept.
constexpr std::uint64_t k_largest_manifest = 4U << 20U;
constexpr std::uint64_t k_largest_tag_page = 16U << 20U;
constexpr int k_most_pages = 1000;
constexpr std::size_t k_tags_shown = 8;

net::Request manifest_request(std::string_view method, const Place& place, const std::string& name) {
  net::Request request;
  request.method = method;
  request.url = place.path("manifests/" + name);
  request.most_bytes = k_largest_manifest;
  request.headers.emplace_back("accept", fmt::format("{}, {}, {}, {}", media_type::k_manifest, media_type::k_index,
                                                     media_type::k_docker_manifest, media_type::k_docker_list));
  return request;
}

std::string name_of(const oci::Reference& image) { return image.digest ? image.digest->to_string() : image.tag; }

/// "application/json; charset=utf-8" → "application/json".
std::string without_parameters(std::string_view content_type) {
  return std::string(trim(content_type.substr(0, content_type.find(';'))));
}

Result<void> check_digest(const FetchedManifest& manifest, const oci::Reference& image, const net::Response& response) {
  auto wanted = image.digest;
  if (const auto said = Digest::parse(response.header("docker-content-digest")); !wanted && said) {
    wanted = *said;
  }
  if (wanted && *wanted != manifest.digest) {
    return Error(ErrorCode::corrupt, fmt::format("the manifest that came has the digest {}, not {}",
                                                 manifest.digest.to_string(), wanted->to_string()))
        .with_hint("something between here and the registry changes what it sends; nothing of it was kept");
  }
  return {};
}

Result<std::vector<std::string>> parse_tags(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error(ErrorCode::corrupt, "the list of tags is no JSON object");
  }
  std::vector<std::string> tags;
  for (const auto& tag : json.value("tags", nlohmann::json())) {
    // They are shown to people: nothing else than a tag may be among them.
    if (tag.is_string() && oci::Reference::parse("name:" + tag.get<std::string>())) {
      tags.push_back(tag.get<std::string>());
    }
  }
  return tags;
}

/// One page; `url` becomes that of the next, or empty.
Result<std::vector<std::string>> take_page(const Place& place, std::string& url, int attempts, std::stop_token stop) {
  net::Request request;
  request.url = url;
  request.most_bytes = k_largest_tag_page;
  request.retry.attempts = attempts;
  SHEAF_TRY_ASSIGN(const auto response, place.session->send(place.pull(), std::move(request), std::move(stop)));
  if (!response.ok()) {
    return place.session->error_of(response);
  }
  url.clear();
  if (const auto next = next_page(response.header("link"))) {
    SHEAF_TRY_ASSIGN(const auto here, net::Url::parse(response.url));
    SHEAF_TRY_ASSIGN(const auto there, net::resolve(here, *next));
    url = there.to_string();
  }
  return parse_tags(response.body);
}

std::string first_page(const Place& place) { return place.path("tags/list?n=1000"); }

/// What else there is, for an image that is not.
std::string other_tags(const Place& place, const std::string& tag, std::stop_token stop) {
  auto url = first_page(place);
  const auto tags = take_page(place, url, 1, std::move(stop));
  if (!tags || tags->empty()) {
    return {};
  }
  if (auto meant = did_you_mean(tag, *tags); !meant.empty()) {
    return meant;
  }
  const std::vector<std::string> some(
      tags->begin(), tags->begin() + static_cast<std::ptrdiff_t>(std::min(k_tags_shown, tags->size())));
  return fmt::format("it has the tags {}{}", joined(some, ", "), tags->size() > some.size() ? ", …" : "");
}

Error manifest_error(const Place& place, const oci::Reference& image, const net::Response& response,
                     const std::stop_token& stop) {
  auto error = place.session->error_of(response);
  if (error.code() != ErrorCode::not_found) {
    return error;
  }
  Error missing(ErrorCode::not_found, fmt::format("there is no image '{}': {}", image.familiar(), error.message()));
  const auto hint = image.digest ? std::string() : other_tags(place, image.tag, stop);
  return hint.empty() ? missing : std::move(missing).with_hint(hint);
}

Result<FetchedManifest> fetch_manifest(const Place& place, const oci::Reference& image, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(auto response,
                   place.session->send(place.pull(), manifest_request("GET", place, name_of(image)), stop));
  if (!response.ok()) {
    return manifest_error(place, image, response, stop);
  }
  FetchedManifest manifest{{}, without_parameters(response.header("content-type")), Digest::of(response.body)};
  SHEAF_TRY(check_digest(manifest, image, response));
  manifest.text = std::move(response.body);
  return manifest;
}

/// A transfer of a blob, over as many places as it takes.
struct BlobTransfer {
  const oci::Descriptor& blob;
  const Sink& sink;
  std::atomic<std::uint64_t>& counter;
  std::uint64_t received = 0;
  Sha256 hash;
  bool sink_failed = false;

  Result<void> take(std::string_view bytes) {
    hash.update(bytes);
    received += bytes.size();
    counter += bytes.size();
    auto taken = sink(bytes);
    sink_failed = !taken;
    return taken;
  }

  Result<void> run(const Place& place, const std::stop_token& stop) {
    net::Request request;
    request.url = place.path("blobs/" + blob.digest.to_string());
    request.offset = received;
    request.size = blob.size;
    request.sink = [this](std::string_view bytes) { return take(bytes); };
    SHEAF_TRY_ASSIGN(const auto response, place.session->send(place.pull(), std::move(request), stop));
    if (response.status == 416) {
      return Error(ErrorCode::corrupt,
                   fmt::format("the registry has {} bytes of it, or less, not {}", received, blob.size));
    }
    return response.ok() ? Result<void>() : place.session->error_of(response);
  }
};

} // namespace

Result<FetchedManifest> Client::manifest(const oci::Reference& image, std::stop_token stop) {
  return m_impl->from_any(image, fmt::format("fetching the manifest of '{}'", image.familiar()),
                          [&](const Place& place) { return fetch_manifest(place, image, stop); });
}

Result<std::optional<Digest>> Client::digest_of(const oci::Reference& image, std::stop_token stop) {
  const auto ask = [&](const Place& place) -> Result<Digest> {
    SHEAF_TRY_ASSIGN(const auto response,
                     place.session->send(place.pull(), manifest_request("HEAD", place, name_of(image)), stop));
    if (!response.ok()) {
      return place.session->error_of(response);
    }
    if (const auto said = Digest::parse(response.header("docker-content-digest"))) {
      return *said;
    }
    SHEAF_TRY_ASSIGN(const auto manifest, fetch_manifest(place, image, stop));
    return manifest.digest;
  };
  auto digest = m_impl->from_any(image, fmt::format("asking for '{}'", image.familiar()), ask);
  if (!digest && digest.error().code() == ErrorCode::not_found) {
    return std::optional<Digest>();
  }
  SHEAF_TRY(digest);
  return std::optional(*digest);
}

Result<void> Client::fetch_blob(const oci::Reference& image, const oci::Descriptor& blob, const Sink& sink,
                                std::stop_token stop) {
  BlobTransfer transfer{blob, sink, m_impl->received, 0, {}, false};
  std::optional<Error> sink_error;
  std::vector<std::string> from;
  const auto doing = fmt::format("fetching {} of '{}'", blob.digest.to_string(), image.familiar());
  SHEAF_TRY(m_impl->from_any(image, doing, [&](const Place& place) -> Result<void> {
    auto done = transfer.run(place, stop);
    from.push_back(place.session->host());
    if (!transfer.sink_failed) {
      return done;
    }
    sink_error = done.error(); // no other place can help
    return {};
  }));
  if (sink_error) {
    return std::move(*sink_error).with_context(doing);
  }
  if (const auto digest = transfer.hash.finish(); digest != blob.digest) {
    const auto is_mirror = from.front() != image.registry;
    return Error(ErrorCode::corrupt, fmt::format("{}: what came from '{}' has the digest {}", doing,
                                                 joined(from, "', '"), digest.to_string()))
        .with_hint(is_mirror ? "is the mirror damaged? Take it out of the settings: nothing of what it sent is kept"
                             : "something between here and the registry changes what it sends; nothing of it is kept");
  }
  return {};
}

Result<bool> Client::has_blob(const oci::Reference& image, const Digest& blob, std::stop_token stop) {
  const auto place = m_impl->origin(image);
  const auto doing = fmt::format("asking '{}' for {}", image.registry, blob.to_string());
  net::Request request;
  request.method = "HEAD";
  request.url = place.path("blobs/" + blob.to_string());
  SHEAF_TRY_ASSIGN(const auto response,
                   place.session->send(place.pull(), std::move(request), std::move(stop)).context(doing));
  if (!response.ok() && response.status != 404) {
    return place.session->error_of(response).with_context(doing);
  }
  return response.ok();
}

Result<std::vector<std::string>> Client::tags(const oci::Reference& image, std::stop_token stop) {
  const auto place = m_impl->origin(image);
  std::vector<std::string> all;
  auto url = first_page(place);
  for (int page = 0; !url.empty() && page < k_most_pages; ++page) {
    SHEAF_TRY_ASSIGN(auto some,
                     take_page(place, url, net::RetryPolicy().attempts, stop)
                         .context(fmt::format("listing the tags of '{}/{}'", image.registry, image.repository)));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

} // namespace sheaf::registry
