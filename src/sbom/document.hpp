// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a list of packages is a list of: common to the two forms in which it is written.

#include "base/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include "sbom/packages.hpp"

namespace sheaf::sbom {

/// An image as an SBOM or a provenance names it.
struct Subject {
  /// "debian:12"; the text of `digest` for an image without a name.
  std::string name;
  /// Of its manifest, or its id in the store.
  Digest digest;
  /// As GOARCH has it; may be empty.
  std::string architecture;
  /// Seconds since 1970; the time that documents about it carry.
  std::int64_t created = 0;
};

/// "2026-11-21T15:12:56Z"
std::string utc_time(std::int64_t seconds);
/// A UUID made of a digest: equal for equal digests. Source: RFC 9562, version 8.
std::string uuid_of(const Digest& digest);
/// "pkg:oci/debian@sha256:…?arch=amd64&tag=12"
std::string image_purl(const Subject& subject);
/// How `text`, a package's own words on its licence, can be said in the terms of SPDX.
enum class LicenceForm {
  identifier, ///< one of SPDX's list
  expression, ///< several of them, joined by AND, OR and WITH
  words,      ///< anything else
};
LicenceForm licence_form(std::string_view text);

namespace media_type {
inline constexpr std::string_view k_spdx = "application/spdx+json";
inline constexpr std::string_view k_cyclonedx = "application/vnd.cyclonedx+json";
inline constexpr std::string_view k_in_toto = "application/vnd.in-toto+json";
inline constexpr std::string_view k_inventory = "application/vnd.sheaf.inventory.v1+text";
} // namespace media_type

} // namespace sheaf::sbom
