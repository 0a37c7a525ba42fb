// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files and repositories that COPY, ADD and FETCH bring from elsewhere: asked for their version, and kept in the store
// by address and version. How to reach a network is the caller's word.

#include "base/result.hpp"
#include "plan/step.hpp"
#include "store/store.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace sheaf::builder {

/// An empty function means that there is no such thing here: using it is `unsupported`.
struct Downloads {
  /// Brings a URL's content to a file, or a repository to an empty directory.
  std::function<Result<void>(const plan::HttpSource&, const std::string& file, std::stop_token)> download;
  std::function<Result<void>(const plan::GitSource&, const std::string& directory, std::stop_token)> clone;
  /// The commit or validator (ETag, Last-Modified) that a source without a checksum has now, for the cache key.
  std::function<Result<std::string>(const plan::HttpSource&, std::stop_token)> version_of_url;
  std::function<Result<std::string>(const plan::GitSource&, std::stop_token)> version_of_repository;
};

/// What the source has now; a checksum says it without asking.
Result<std::string> version_of(const Downloads& downloads, const plan::HttpSource& source, std::stop_token stop);
Result<std::string> version_of(const Downloads& downloads, const plan::GitSource& source, std::stop_token stop);

/// The file or directory in the store's cache; downloaded if that version is not there. `corrupt` if the content does
/// not have the checksum.
Result<std::string> fetch(const Downloads& downloads, store::Store& store, const plan::HttpSource& source,
                          const std::string& version, std::stop_token stop);
Result<std::string> fetch(const Downloads& downloads, store::Store& store, const plan::GitSource& source,
                          const std::string& version, std::stop_token stop);

} // namespace sheaf::builder
