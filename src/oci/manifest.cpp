// SPDX-License-Identifier: Apache-2.0
#include "oci/manifest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace sheaf::oci {
namespace {

using Json = nlohmann::json;

/// More than any registry takes; a text beyond it is no manifest. Source: distribution-spec, "Pushing Manifests".
constexpr std::size_t k_largest = std::size_t{4} << 20U;
constexpr std::size_t k_most_entries = 10'000;

Error broken(const std::string& path, std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("'{}' {}", path, what)};
}

/// A text that may be missing.
Result<std::string> text_at(const Json& object, const std::string& path, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return std::string();
  }
  if (!found->is_string()) {
    return broken(path + key, "is not a string");
  }
  return found->get<std::string>();
}

Result<std::map<std::string, std::string>> annotations_at(const Json& object, const std::string& path) {
  std::map<std::string, std::string> annotations;
  const auto found = object.find("annotations");
  if (found == object.end() || found->is_null()) {
    return annotations;
  }
  if (!found->is_object()) {
    return broken(path + "annotations", "is not an object");
  }
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) {
      return broken(fmt::format("{}annotations.{}", path, key), "is not a string");
    }
    annotations[key] = value.get<std::string>();
  }
  return annotations;
}

Result<std::optional<Platform>> platform_at(const Json& object, const std::string& path) {
  const auto found = object.find("platform");
  if (found == object.end() || found->is_null()) {
    return std::optional<Platform>();
  }
  if (!found->is_object()) {
    return broken(path + "platform", "is not an object");
  }
  const auto below = path + "platform.";
  Platform platform;
  SHEAF_TRY_ASSIGN(platform.os, text_at(*found, below, "os"));
  SHEAF_TRY_ASSIGN(platform.architecture, text_at(*found, below, "architecture"));
  SHEAF_TRY_ASSIGN(platform.variant, text_at(*found, below, "variant"));
  SHEAF_TRY_ASSIGN(platform.os_version, text_at(*found, below, "os.version"));
  return std::optional(std::move(platform));
}

Result<Descriptor> descriptor_from(const Json& json, const std::string& path) {
  if (!json.is_object()) {
    return broken(path, "is not a descriptor");
  }
  const auto below = path + ".";
  Descriptor descriptor;
  SHEAF_TRY_ASSIGN(descriptor.media_type, text_at(json, below, "mediaType"));
  SHEAF_TRY_ASSIGN(const auto digest, text_at(json, below, "digest"));
  if (digest.starts_with("sha512:")) {
    return Error(ErrorCode::unsupported, fmt::format("'{}digest' is a SHA-512; only sha256 is known", below));
  }
  const auto parsed = Digest::parse(digest);
  if (!parsed || !digest.starts_with("sha256:")) {
    return broken(below + "digest", "is not a digest");
  }
  descriptor.digest = *parsed;
  const auto size = json.find("size");
  constexpr auto k_most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (size == json.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() > k_most) {
    return broken(below + "size", "is not a number of bytes");
  }
  descriptor.size = size->get<std::uint64_t>();
  SHEAF_TRY_ASSIGN(descriptor.platform, platform_at(json, below));
  SHEAF_TRY_ASSIGN(descriptor.annotations, annotations_at(json, below));
  SHEAF_TRY_ASSIGN(descriptor.artifact_type, text_at(json, below, "artifactType"));
  return descriptor;
}

Result<std::vector<Descriptor>> descriptors_at(const Json& object, const char* key) {
  std::vector<Descriptor> descriptors;
  const auto& list = object[key];
  if (list.is_null()) { // as Go writes an empty list
    return descriptors;
  }
  if (!list.is_array() || list.size() > k_most_entries) {
    return broken(key, "is not a list of descriptors");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    SHEAF_TRY_ASSIGN(auto descriptor, descriptor_from(list[i], fmt::format("{}[{}]", key, i)));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

/// What a manifest and an index have in common.
template <class Value>
Result<void> read_common(const Json& json, Value& value) {
  SHEAF_TRY_ASSIGN(value.artifact_type, text_at(json, "", "artifactType"));
  SHEAF_TRY_ASSIGN(value.annotations, annotations_at(json, ""));
  if (json.contains("subject") && !json["subject"].is_null()) {
    SHEAF_TRY_ASSIGN(value.subject, descriptor_from(json["subject"], "subject"));
  }
  return {};
}

Result<ManifestOrIndex> read_manifest(const Json& json, const std::string& type) {
  Manifest manifest;
  manifest.media_type = type.empty() ? std::string(media_type::k_manifest) : type;
  SHEAF_TRY(read_common(json, manifest));
  SHEAF_TRY_ASSIGN(manifest.config, descriptor_from(json["config"], "config"));
  SHEAF_TRY_ASSIGN(manifest.layers, descriptors_at(json, "layers"));
  return ManifestOrIndex(std::move(manifest));
}

Result<ManifestOrIndex> read_index(const Json& json, const std::string& type) {
  Index index;
  index.media_type = type.empty() ? std::string(media_type::k_index) : type;
  SHEAF_TRY(read_common(json, index));
  SHEAF_TRY_ASSIGN(index.manifests, descriptors_at(json, "manifests"));
  return ManifestOrIndex(std::move(index));
}

bool is_manifest_type(std::string_view type) {
  return type == media_type::k_manifest || type == media_type::k_docker_manifest;
}
bool is_index_type(std::string_view type) { return type == media_type::k_index || type == media_type::k_docker_list; }

/// "type/subtype; charset=utf-8" without what follows.
std::string_view without_parameters(std::string_view type) {
  const auto end = type.substr(0, type.find(';'));
  return end.substr(0, end.find_last_not_of(' ') + 1);
}

/// The type that text and server agree on; empty if neither says one.
Result<std::string> agreed_type(const Json& json, std::string_view said) {
  SHEAF_TRY_ASSIGN(auto own, text_at(json, "", "mediaType"));
  const bool known = is_manifest_type(said) || is_index_type(said);
  if (!own.empty() && known && own != said) {
    return Error(ErrorCode::corrupt, fmt::format("a manifest calls itself '{}' and was served as '{}'", own, said));
  }
  if (own.empty()) {
    own = known ? said : "";
  }
  if (!own.empty() && !is_manifest_type(own) && !is_index_type(own)) {
    return Error(ErrorCode::unsupported, fmt::format("'{}' is no kind of manifest that is known", own));
  }
  return own;
}

// --- writing

Json to_json(const Platform& platform) {
  Json json = {{"os", platform.os}, {"architecture", platform.architecture}};
  if (!platform.variant.empty()) {
    json["variant"] = platform.variant;
  }
  if (!platform.os_version.empty()) {
    json["os.version"] = platform.os_version;
  }
  return json;
}

Json to_json(const Descriptor& descriptor) {
  Json json = {{"digest", descriptor.digest.to_string()}, {"size", descriptor.size}};
  if (!descriptor.media_type.empty()) {
    json["mediaType"] = descriptor.media_type;
  }
  if (descriptor.platform) {
    json["platform"] = to_json(*descriptor.platform);
  }
  if (!descriptor.annotations.empty()) {
    json["annotations"] = descriptor.annotations;
  }
  if (!descriptor.artifact_type.empty()) {
    json["artifactType"] = descriptor.artifact_type;
  }
  return json;
}

Json to_json(const std::vector<Descriptor>& descriptors) {
  auto json = Json::array();
  std::ranges::transform(descriptors, std::back_inserter(json), [](const auto& one) { return to_json(one); });
  return json;
}

template <class Value>
Json common_to_json(const Value& value, std::string_view usual_type) {
  Json json = {{"schemaVersion", 2}};
  json["mediaType"] = value.media_type.empty() ? std::string(usual_type) : value.media_type;
  if (!value.artifact_type.empty()) {
    json["artifactType"] = value.artifact_type;
  }
  if (!value.annotations.empty()) {
    json["annotations"] = value.annotations;
  }
  if (value.subject) {
    json["subject"] = to_json(*value.subject);
  }
  return json;
}

std::string print(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// --- platforms

/// Variants that say no more than the architecture does.
std::string_view usual_variant(std::string_view architecture) {
  return architecture == "arm64" ? "v8" : architecture == "arm" ? "v7" : architecture == "amd64" ? "v1" : "";
}

std::string_view variant_of(const Platform& platform) {
  return platform.variant.empty() ? usual_variant(platform.architecture) : std::string_view(platform.variant);
}

/// How well `offered` serves who wants `wanted`: 0 not at all, more is better. Older variants serve, newer do not.
int fitness(const Platform& offered, const Platform& wanted) {
  constexpr int k_exact = 100;
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) {
    return 0;
  }
  const auto have = variant_of(offered);
  const auto want = variant_of(wanted);
  if (have == want) {
    return k_exact;
  }
  const bool comparable = have.size() == 2 && want.size() == 2 && have[0] == 'v' && want[0] == 'v' && have[1] > '0';
  return comparable && have[1] < want[1] ? have[1] - '0' : 0;
}

} // namespace

std::string Platform::to_string() const {
  return fmt::format("{}/{}{}{}", os, architecture, variant.empty() ? "" : "/", variant);
}

Result<ManifestOrIndex> parse_manifest(std::string_view json, std::string_view media_type) {
  const auto doing = "reading an image's manifest";
  if (json.size() > k_largest) {
    return Error(ErrorCode::corrupt, "an image's manifest is larger than 4 MiB");
  }
  const auto document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return Error(ErrorCode::corrupt, "an image's manifest is not a JSON object");
  }
  const auto version = document.find("schemaVersion");
  const bool is_first = version != document.end() && version->is_number_integer() && *version == 1;
  if (is_first) {
    return Error(ErrorCode::unsupported, "the manifest is of schema 1, which registries gave up")
        .with_hint("push the image again with a docker of 2017 or later, or pull another tag");
  }
  if (version == document.end() || !version->is_number_integer() || *version != 2) {
    return Error(ErrorCode::corrupt, "an image's manifest has no schemaVersion 2");
  }
  SHEAF_TRY_ASSIGN(const auto type, agreed_type(document, without_parameters(media_type)).context(doing));
  const bool has_layers = document.contains("layers") && document.contains("config");
  const bool has_manifests = document.contains("manifests");
  // One that is both could mean this to us and that to others. Source: image-spec, manifest.md, on CVE-2021-41190.
  if (has_manifests && (document.contains("layers") || document.contains("config"))) {
    return Error(ErrorCode::corrupt, "a manifest is an index at the same time");
  }
  if (is_index_type(type) ? !has_manifests : !has_layers && !(type.empty() && has_manifests)) {
    return Error(ErrorCode::corrupt,
                 is_index_type(type) ? "an index has no 'manifests'" : "a manifest has no 'config' or no 'layers'");
  }
  return (has_manifests ? read_index(document, type) : read_manifest(document, type)).context(doing);
}

std::string serialise(const Manifest& manifest) {
  auto json = common_to_json(manifest, media_type::k_manifest);
  json["config"] = to_json(manifest.config);
  json["layers"] = to_json(manifest.layers);
  return print(json);
}

std::string serialise(const Index& index) {
  auto json = common_to_json(index, media_type::k_index);
  json["manifests"] = to_json(index.manifests);
  return print(json);
}

Result<Compression> compression_of(std::string_view media_type) {
  constexpr std::array<std::pair<std::string_view, Compression>, 7> k_types = {{
      {"application/vnd.oci.image.layer.v1.tar", Compression::none},
      {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
      {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
      {"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
      {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
      {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
      {"application/vnd.docker.image.rootfs.diff.tar+zstd", Compression::zstd},
  }};
  const auto* const found = std::ranges::find(k_types, media_type, &std::pair<std::string_view, Compression>::first);
  if (found != k_types.end()) {
    return found->second;
  }
  Error error(ErrorCode::unsupported, fmt::format("a layer of type '{}' is no layer of files", media_type));
  if (media_type.find("nondistributable") != std::string_view::npos ||
      media_type.find("foreign") != std::string_view::npos) {
    return std::move(error).with_hint(
        "such layers are kept elsewhere, mostly those of Windows; sheaf runs Linux images");
  }
  if (media_type.find("encrypted") != std::string_view::npos) {
    return std::move(error).with_hint(
        "it is encrypted; decrypt the image first, as with 'skopeo copy --decryption-key'");
  }
  return std::move(error).with_hint("is it an artifact (chart, signature, model), not an image?");
}

std::string layer_media_type(Compression compression) {
  const std::string plain = "application/vnd.oci.image.layer.v1.tar";
  return compression == Compression::none ? plain : plain + (compression == Compression::gzip ? "+gzip" : "+zstd");
}

Result<Descriptor> choose(const Index& index, const Platform& wanted) {
  const Descriptor* best = nullptr;
  int best_fitness = 0;
  std::string there;
  for (const auto& entry : index.manifests) {
    // An entry that says no platform serves everybody, but one that says the right one serves better.
    const int fits = entry.platform ? 2 * fitness(*entry.platform, wanted) : 1;
    if (fits > best_fitness) {
      best = &entry;
      best_fitness = fits;
    }
    // "unknown" is how attestations are kept from being run.
    if (entry.platform && entry.platform->os != "unknown") {
      there += (there.empty() ? "" : ", ") + entry.platform->to_string();
    }
  }
  if (best != nullptr) {
    return *best;
  }
  return Error(ErrorCode::not_found, fmt::format("there is no image for {}", wanted.to_string()))
      .with_hint(there.empty() ? "the index is empty" : fmt::format("there are images for {}", there));
}

} // namespace sheaf::oci
