// SPDX-License-Identifier: Apache-2.0
// Writing to a registry: blobs and manifests. Source: OCI distribution-spec 1.1, "Push".
#include "registry/client_state.hpp"
#include "registry/upload.hpp"

#include <fmt/format.h>

namespace sheaf::registry {
namespace {

Result<bool> is_known(const Place& place, const Digest& blob, const std::stop_token& stop) {
  net::Request request;
  request.method = "HEAD";
  request.url = place.path("blobs/" + blob.to_string());
  SHEAF_TRY_ASSIGN(const auto response, place.session->send(place.push(), std::move(request), stop));
  if (!response.ok() && response.status != 404) {
    return place.session->error_of(response);
  }
  return response.ok();
}

struct MountAttempt {
  bool mounted = false;
  /// Of the upload that the registry began instead; may be empty.
  std::string location;
};

/// No attempt to mount is an error: the blob can be sent.
MountAttempt try_mount(const Place& place, const Digest& blob, const std::string& source, const std::stop_token& stop) {
  net::Request request;
  request.method = "POST";
  request.url = fmt::format("{}?mount={}&from={}", place.path("blobs/uploads/"), net::percent_encoded(blob.to_string()),
                            net::percent_encoded(source));
  const Scope scope{place.repository, Access::push, {source}};
  const auto response = place.session->send(scope, std::move(request), stop);
  if (!response || response->status != 202) {
    return {response && response->status == 201, {}};
  }
  const auto here = net::Url::parse(response->url);
  const auto there = here ? net::resolve(*here, response->header("location")) : here;
  const bool is_usable = there && !response->header("location").empty();
  return {false, is_usable ? there->to_string() : std::string()};
}

/// An upload that is not used would lie in the registry until it is cleaned.
void cancel_upload(const Place& place, const std::string& location, const std::stop_token& stop) {
  if (location.empty()) {
    return;
  }
  net::Request request;
  request.method = "DELETE";
  request.url = location;
  request.retry.attempts = 1;
  ignore(place.session->send(place.push(), std::move(request), stop), "cancelling an upload that nobody needs");
}

Result<void> check_length(const os::Fd& file, const oci::Descriptor& blob) {
  SHEAF_TRY_ASSIGN(const auto status, os::stat_of(file));
  if (static_cast<std::uint64_t>(status.st_size) < blob.size) {
    return Error(ErrorCode::corrupt,
                 fmt::format("the file has {} bytes, the blob should have {}", status.st_size, blob.size));
  }
  return {};
}

/// Where several push the same blob, a registry may confirm it to all of them a moment before it knows it itself.
constexpr int k_more_attempts = 2;

bool lacks_blob(const net::Response& response) {
  return (response.status == 400 || response.status == 404) && response.body.find("BLOB_UNKNOWN") != std::string::npos;
}

Result<PushOutcome> push_to(Client::Impl& client, const Place& place, const oci::Descriptor& blob, const os::Fd& file,
                            const std::vector<std::string>& from, const std::stop_token& stop) {
  SHEAF_TRY(check_length(file, blob));
  SHEAF_TRY_ASSIGN(const bool known, is_known(place, blob.digest, stop));
  if (known) {
    return PushOutcome::was_there;
  }
  std::string location;
  for (const auto& source : from) {
    if (source == place.repository) {
      continue;
    }
    cancel_upload(place, location, stop);
    auto attempt = try_mount(place, blob.digest, source, stop);
    if (attempt.mounted) {
      return PushOutcome::mounted;
    }
    location = std::move(attempt.location);
  }
  SHEAF_TRY(Upload(client, place, blob, file, stop).run(std::move(location)));
  return PushOutcome::uploaded;
}

} // namespace

Result<PushOutcome> Client::push_blob(const oci::Reference& image, const oci::Descriptor& blob, const os::Fd& file,
                                      const std::vector<std::string>& from, std::stop_token stop) {
  return push_to(*m_impl, m_impl->origin(image), blob, file, from, stop)
      .context(fmt::format("pushing {} to '{}/{}'", blob.digest.to_string(), image.registry, image.repository));
}

Result<Digest> Client::push_manifest(const oci::Reference& image, std::string_view text, std::string_view media_type,
                                     std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto answer, m_impl->put_manifest(image, text, media_type, stop));
  return answer.digest;
}

Result<PutAnswer> Client::Impl::put_manifest(const oci::Reference& image, std::string_view text,
                                             std::string_view media_type, std::stop_token stop) {
  const auto place = origin(image);
  const auto doing = fmt::format("pushing the manifest of '{}'", image.familiar());
  PutAnswer answer{Digest::of(text), false};
  if (image.digest && *image.digest != answer.digest) {
    return Error(ErrorCode::invalid, fmt::format("{}: its digest is {}", doing, answer.digest.to_string()));
  }
  net::Request request;
  request.method = "PUT";
  request.url = place.path("manifests/" + (image.tag.empty() ? answer.digest.to_string() : image.tag));
  request.body = text;
  net::set_header(request.headers, "content-type", media_type);
  SHEAF_TRY_ASSIGN(auto response, place.session->send(place.push(), request, stop).context(doing));
  for (int again = 0; lacks_blob(response) && again < k_more_attempts && net::pause(hosts.retry.first_delay, stop);
       ++again) {
    SHEAF_TRY_ASSIGN(response, place.session->send(place.push(), request, stop).context(doing));
  }
  if (!response.ok()) {
    return place.session->error_of(response).with_context(doing);
  }
  const auto said = Digest::parse(response.header("docker-content-digest"));
  if (said && *said != answer.digest) {
    return Error(ErrorCode::corrupt, fmt::format("{}: the registry got one with the digest {}, not {}", doing,
                                                 said->to_string(), answer.digest.to_string()));
  }
  answer.took_subject = !response.header("oci-subject").empty();
  return answer;
}

} // namespace sheaf::registry
