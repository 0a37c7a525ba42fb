// SPDX-License-Identifier: Apache-2.0
#pragma once

// Descriptors, manifests and indexes as values, parsed from and printed as JSON; Docker's schema 2 forms are read as
// the same values. Pure. Source: OCI image-spec 1.1, descriptor.md, manifest.md, image-index.md; distribution,
// manifest-v2-2.md.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sheaf::oci {

struct Platform {
  std::string os;
  /// As GOARCH has it.
  std::string architecture;
  std::string variant;
  std::string os_version;
  bool operator==(const Platform&) const = default;
  /// "linux/arm64/v8"
  std::string to_string() const;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0; ///< bytes
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  std::string artifact_type;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type;
  std::string artifact_type;
  Descriptor config;
  /// Bottom first.
  std::vector<Descriptor> layers;
  /// What this refers to, for referrers.
  std::optional<Descriptor> subject;
  std::map<std::string, std::string> annotations;
  bool operator==(const Manifest&) const = default;
};

struct Index {
  std::string media_type;
  std::string artifact_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  std::map<std::string, std::string> annotations;
  bool operator==(const Index&) const = default;
};

using ManifestOrIndex = std::variant<Manifest, Index>;

/// How a layer is compressed, by its media type.
enum class Compression { none, gzip, zstd };

/// `corrupt` says what is wrong, `unsupported` for schema 1 and unknown types. `media_type` is what the server said;
/// may be empty, and must not contradict the text.
Result<ManifestOrIndex> parse_manifest(std::string_view json, std::string_view media_type = {});
/// Keys sorted, no blanks: equal values give equal bytes.
std::string serialise(const Manifest& manifest);
std::string serialise(const Index& index);

/// `unsupported` for types that are no layer of files.
Result<Compression> compression_of(std::string_view media_type);
/// OCI's type of a layer.
std::string layer_media_type(Compression compression);
/// The entry for a platform; `not_found` lists those that are there. Of several that fit, the first.
Result<Descriptor> choose(const Index& index, const Platform& wanted);

namespace media_type {
inline constexpr std::string_view k_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view k_empty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view k_docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view k_docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view k_docker_config = "application/vnd.docker.container.image.v1+json";
} // namespace media_type

} // namespace sheaf::oci
