// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a layer downloads: files of upstream projects with a pinned version and checksum, as written in `downloads.yml`
// beside `layer.yml`. Values and pure functions; `plan/` makes build arguments of them, `app/` looks for newer ones.
// Docs: docs/layers.md, "Downloads".

#include "base/diagnostics.hpp"
#include "base/result.hpp"
#include "base/source_text.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::catalogue {

/// One version and the digests of its files.
struct Pin {
  std::string version;
  /// Architecture ("amd64", "arm64") to 64 lower-case hex digits. One that is missing is not known.
  std::map<std::string, std::string> sha256;
  Span span;
};

/// Where the newest version is read.
struct LatestSource {
  /// "owner/repository", whose newest release is asked for; empty: `url`.
  std::string github;
  std::string url;
  /// Keys of the JSON document at `url`, joined by '.', numbers for list items; empty: it is text, whose first word
  /// counts.
  std::string json;
  /// What stands in front of the version; nothing: any letters and signs, such as "v".
  std::optional<std::string> prefix;
};

struct Artefact {
  /// As in build arguments: "kubectl" gives KUBECTL_URL, KUBECTL_VERSION, KUBECTL_SHA256.
  std::string name;
  /// With {version} and {arch}.
  std::string url;
  /// What upstream calls the architectures there are files for: "amd64" to "x86_64".
  std::map<std::string, std::string> architectures;
  std::optional<LatestSource> latest;
  /// Where upstream publishes checksums, with {version} and {arch}; `k_github_digests`; empty for nowhere.
  std::string checksums;
  /// The argument of the layer that chooses one of the versions; may be empty.
  std::string argument;
  /// The one that is used if nobody chooses.
  Pin current;
  std::vector<Pin> others;
  Span span;
};

/// In place of an address of checksums: those that GitHub itself gives of a release's files.
inline constexpr std::string_view k_github_digests = "github";

/// All artefacts of a layer, in the order written.
struct Downloads {
  std::vector<Artefact> artefacts;
  std::shared_ptr<const SourceText> source;
};

/// `text` with the version and upstream's name of the architecture put in.
std::string fill_in(std::string_view text, const Artefact& artefact, std::string_view version, std::string_view arch);

/// The pin that `wanted` asks for: "" and "latest" are the current one; else the first, the current one before all
/// others, whose version is `wanted` or goes on behind it with a '.'. Null if there is none.
const Pin* find_pin(const Artefact& artefact, std::string_view wanted);

/// 64 lower-case hex digits.
bool is_hex_digest(std::string_view text);
/// "https://…", or "http://…" on this machine alone.
bool is_safe_address(std::string_view url);

/// Nothing if there is a mistake; all of them are in `diagnostics`.
std::optional<Downloads> parse_downloads(std::shared_ptr<const SourceText> yml, Diagnostics& diagnostics);

} // namespace sheaf::catalogue
