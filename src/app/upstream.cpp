// SPDX-License-Identifier: Apache-2.0
#include "app/upstream.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"
#include "catalogue/published.hpp"
#include "net/url.hpp"
#include "os/file.hpp"
#include "plan/remote_source.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace sheaf::app {
namespace {

using catalogue::Artefact;
using catalogue::Pin;
using Json = nlohmann::json;

constexpr int k_attempts = 3;

/// As in GitHub's own workflows, for the installation of a company.
std::string github_api() { return os::environment("GITHUB_API_URL").value_or("https://api.github.com"); }

bool is_github(const std::string& url) { return url.starts_with(github_api() + "/"); }

net::Request request_for(const std::string& url) {
  net::Request request;
  request.url = url;
  request.retry.attempts = k_attempts;
  const auto parsed = net::Url::parse(url);
  const bool is_local = parsed && net::is_loopback(parsed->authority);
  request.plain_http = is_local ? net::PlainHttp::permitted : net::PlainHttp::refused;
  const auto token = os::environment("GITHUB_TOKEN");
  if (token && is_github(url)) {
    net::set_header(request.headers, "authorization", "Bearer " + *token);
    request.secrets.push_back(*token);
  }
  return request;
}

Result<void> check_status(const net::Response& response, const std::string& url) {
  if (response.ok()) {
    return {};
  }
  const bool is_missing = response.status == 404 || response.status == 410;
  Error error(is_missing ? ErrorCode::not_found : ErrorCode::network,
              fmt::format("the server answered with status {}", response.status));
  if (is_github(url) && (response.status == 403 || response.status == 429)) {
    return std::move(error).with_hint("GitHub answers few questions without a name: set GITHUB_TOKEN");
  }
  return error;
}

Result<Json> parse_json(const std::string& text) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    return Error(ErrorCode::corrupt, "the answer is no JSON");
  }
  return json;
}

/// The text or number at `path`.
Result<std::string> text_in(const Json& document, std::string_view path) {
  const Json* node = &document;
  for (const auto key : split(path, '.')) {
    const auto number = to_number<std::size_t>(key);
    if (node->is_object() && node->contains(key)) {
      node = &node->at(std::string(key));
    } else if (node->is_array() && number && *number < node->size()) {
      node = &node->at(*number);
    } else {
      return Error(ErrorCode::corrupt, fmt::format("the answer has nothing at '{}'", path));
    }
  }
  if (node->is_string()) {
    return node->get<std::string>();
  }
  return node->is_number() ? Result<std::string>(node->dump())
                           : Error(ErrorCode::corrupt, fmt::format("there is no text at '{}'", path));
}

/// What stands in front of the version in a tag.
std::string front_of(const std::string& tag, const std::string& version) {
  const auto at = tag.rfind(version);
  return at == std::string::npos ? std::string() : tag.substr(0, at);
}

} // namespace

Result<std::string> Upstream::text_at(const std::string& url) {
  if (const auto known = m_texts.find(url); known != m_texts.end()) {
    return known->second;
  }
  const auto doing = fmt::format("asking '{}'", net::without_credentials(url));
  SHEAF_TRY_ASSIGN(auto response, m_client.send(request_for(url), m_stop).context(doing));
  SHEAF_TRY(check_status(response, url).context(doing));
  return m_texts.emplace(url, std::move(response.body)).first->second;
}

Result<Upstream::Release> Upstream::release(const std::string& repository, const std::string& which) {
  const auto url = fmt::format("{}/repos/{}/releases/{}", github_api(), repository, which);
  const auto doing = fmt::format("reading '{}'", url);
  SHEAF_TRY_ASSIGN(const auto text, text_at(url));
  SHEAF_TRY_ASSIGN(const auto json, parse_json(text).context(doing));
  Release release;
  SHEAF_TRY_ASSIGN(release.tag, text_in(json, "tag_name").context(doing));
  if (json.contains("assets") && json.at("assets").is_array()) {
    for (const auto& asset : json.at("assets")) {
      const auto name = text_in(asset, "name");
      const auto digest = text_in(asset, "digest");
      if (name && digest && plan::is_sha256(*digest)) {
        release.digests[*name] = digest->substr(digest->find(':') + 1);
      }
    }
  }
  return release;
}

Result<std::string> Upstream::version(const Artefact& artefact) {
  const auto& pinned = artefact.current.version;
  if (!artefact.latest) {
    return pinned;
  }
  std::string text;
  std::string place = artefact.latest->url;
  if (!artefact.latest->github.empty()) {
    SHEAF_TRY_ASSIGN(const auto newest, release(artefact.latest->github, "latest"));
    text = newest.tag;
    place = "github:" + artefact.latest->github;
  } else {
    SHEAF_TRY_ASSIGN(text, text_at(place));
    if (!artefact.latest->json.empty()) {
      const auto doing = fmt::format("reading '{}'", place);
      SHEAF_TRY_ASSIGN(const auto json, parse_json(text).context(doing));
      SHEAF_TRY_ASSIGN(text, text_in(json, artefact.latest->json).context(doing));
    }
  }
  const auto version = catalogue::published_version(text, artefact.latest->prefix);
  if (!version) {
    return Error(ErrorCode::corrupt, fmt::format("'{}' names no version", place))
        .with_hint("see 'latest' in downloads.yml: 'json' says where in the answer, 'prefix' what stands in front");
  }
  return catalogue::compare_versions(*version, pinned) > 0 ? *version : pinned;
}

Result<std::string> Upstream::published(const Artefact& artefact, const std::string& version, const std::string& arch) {
  const auto url = catalogue::fill_in(artefact.url, artefact, version, arch);
  const auto file = plan::file_name_of(url);
  if (artefact.checksums == catalogue::k_github_digests) {
    const auto& repository = artefact.latest->github;
    SHEAF_TRY_ASSIGN(auto found, release(repository, "latest"));
    const auto newest = catalogue::published_version(found.tag, artefact.latest->prefix);
    if (newest != version) {
      const auto tag = front_of(found.tag, newest.value_or("")) + version;
      SHEAF_TRY_ASSIGN(found, release(repository, "tags/" + net::percent_encoded(tag)));
    }
    const auto digest = found.digests.find(file);
    return digest != found.digests.end()
               ? Result<std::string>(digest->second)
               : Error(ErrorCode::corrupt, fmt::format("GitHub names no checksum of '{}' in release '{}' of '{}'", file,
                                                       found.tag, repository));
  }
  const auto list = catalogue::fill_in(artefact.checksums, artefact, version, arch);
  SHEAF_TRY_ASSIGN(const auto text, text_at(list));
  auto digest = catalogue::published_digest(text, file);
  return digest ? Result<std::string>(std::move(*digest))
                : Error(ErrorCode::corrupt, fmt::format("'{}' names no checksum of '{}'", list, file));
}

Result<std::string> Upstream::digest_of_file(const std::string& url) {
  Sha256 hash;
  auto request = request_for(url);
  request.sink = [&hash](std::string_view bytes) -> Result<void> {
    hash.update(bytes);
    return {};
  };
  request.restart = [&hash]() -> Result<void> {
    hash = Sha256();
    return {};
  };
  const auto doing = fmt::format("downloading '{}'", net::without_credentials(url));
  SHEAF_TRY_ASSIGN(const auto response, m_client.send(std::move(request), m_stop).context(doing));
  SHEAF_TRY(check_status(response, url).context(doing));
  return hash.finish().hex();
}

Result<std::string> Upstream::digest(const Artefact& artefact, const std::string& version, const std::string& arch) {
  std::string digest;
  if (!artefact.checksums.empty()) {
    SHEAF_TRY_ASSIGN(digest, published(artefact, version, arch));
  } else if (m_download == DownloadFiles::no) {
    return Error(ErrorCode::unsupported, "upstream publishes no checksums")
        .with_hint("with '--download' the file is downloaded and its own checksum taken");
  }
  if (m_download == DownloadFiles::yes) {
    const auto url = catalogue::fill_in(artefact.url, artefact, version, arch);
    SHEAF_TRY_ASSIGN(const auto real, digest_of_file(url));
    if (!digest.empty() && digest != real) {
      return Error(ErrorCode::corrupt,
                   fmt::format("'{}' has the SHA-256 digest {}, but upstream publishes {}", url, real, digest))
          .with_hint("one of the two was tampered with or is being replaced: ask the project");
    }
    digest = real;
  }
  return digest;
}

Result<Pin> Upstream::newest(const Artefact& artefact) {
  Pin pin;
  SHEAF_TRY_ASSIGN(pin.version, version(artefact));
  for (const auto& [arch, name] : artefact.architectures) {
    const auto doing = fmt::format("version {} for {}", pin.version, arch);
    SHEAF_TRY_ASSIGN(pin.sha256[arch], digest(artefact, pin.version, arch).context(doing));
    const auto& old = artefact.current;
    const auto pinned = old.sha256.find(arch);
    if (old.version == pin.version && pinned != old.sha256.end() && pinned->second != pin.sha256[arch]) {
      return Error(ErrorCode::corrupt,
                   fmt::format("upstream now says that version {} for {} has the checksum {}, not {}", pin.version,
                               arch, pin.sha256[arch], pinned->second))
          .with_hint("a released file does not change: find out why, and remove the old checksum to take the new one");
    }
  }
  return pin;
}

} // namespace sheaf::app
