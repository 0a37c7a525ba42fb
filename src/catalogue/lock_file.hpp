// SPDX-License-Identifier: Apache-2.0
#pragma once

// `sheaf.lock`: what a project's environment was made of when it was locked, so that it comes out the same elsewhere
// and later. Written by `sheaf lock` and `sheaf update`, never by hand. Form: docs/formats/lock.md. Pure.

#include "base/diagnostics.hpp"
#include "base/digest.hpp"
#include "base/source_text.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::catalogue {

struct LockedLayer {
  /// Of the argument `version`; empty if it is not settled here.
  std::string version;
  /// When it was built anew on demand, seconds since 1970; 0 if never. Part of the recipe key.
  std::int64_t refreshed = 0;
  /// Layers that it was built on because the two could not be joined otherwise, although it does not need them.
  std::vector<std::string> on_top_of;
  RecipeKey recipe;
  ContentKey content;
  /// Name or address and digest of each file that its instructions download.
  std::map<std::string, std::string> downloads;
  bool operator==(const LockedLayer&) const = default;
};

struct LockFile {
  /// The image that the base is made of, with its digest: "debian:12@sha256:…"; empty if it is none.
  std::string image;
  std::map<std::string, LockedLayer, std::less<>> layers;
  /// Of the whole environment: "deb adduser 3.134 all", "npm left-pad 1.3.0"; sorted, with the digest of the package
  /// file behind it where it is known.
  std::vector<std::string> packages;
  bool operator==(const LockFile&) const = default;
};

std::string serialise(const LockFile& lock);
/// Nothing if there is a mistake; all are in `diagnostics`.
std::optional<LockFile> parse_lock(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics);

/// What changed from one to the other, one line each, as `sheaf update` prints them: layers first, then packages.
std::vector<std::string> differences(const LockFile& before, const LockFile& after);

} // namespace sheaf::catalogue
