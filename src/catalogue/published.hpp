// SPDX-License-Identifier: Apache-2.0
#pragma once

// What upstream projects publish beside their files, as text: lists of checksums, names of versions. Pure; the text
// comes from the network and may be anything. Used by `app/` to refresh `downloads.yml`.

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::catalogue {

/// The SHA-256 digest of `file` in the text of a checksum file, as 64 lower-case digits. Understood are lines of
/// sha256sum(1) ("DIGEST  NAME", "DIGEST *NAME"), of BSD ("SHA256 (NAME) = DIGEST"), in both a folder in front of NAME,
/// and a text that is one digest alone. Nothing if `file` is not there, or is there with two different digests.
std::optional<std::string> published_digest(std::string_view list, std::string_view file);

/// The version in the first word of `text`: what is behind `prefix`, or by default behind all that is no digit, so that
/// "v1.2", "go1.22.5" and "release-2.0" are "1.2", "1.22.5" and "2.0". Nothing if that is no version.
std::optional<std::string> published_version(std::string_view text, const std::optional<std::string>& prefix);

/// Compares two versions by their runs of digits, in order; text between them does not count. Less than, equal to or
/// greater than 0.
int compare_versions(std::string_view a, std::string_view b);

} // namespace sheaf::catalogue
