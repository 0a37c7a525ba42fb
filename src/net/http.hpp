// SPDX-License-Identifier: Apache-2.0
#pragma once

// Downloads over HTTP(S) with libcurl: redirects, proxies from the environment, retries. Knows no registry.

#include "base/result.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace sheaf::net {

/// What the server said of a file, to tell one version of it from another.
struct FileVersion {
  std::string etag;
  std::string last_modified;
  std::uint64_t size = 0;
  /// The name that the server gives it (Content-Disposition); empty if none.
  std::string name;
  /// Seconds since 1970; 0 if the server did not say.
  std::int64_t modified = 0;
};

/// The last part of the URL's path, decoded; empty if it ends in '/'.
std::string file_name_of(std::string_view url);

/// Downloads `url` to `file`, which is there only if all of it is. Tries three times. `network` says what failed, with
/// the status the server gave; `not_found` for 404 and 410; passwords in the URL are not shown.
Result<FileVersion> download(const std::string& url, const std::string& file, std::stop_token stop);

/// Asks for the version without the content (HEAD).
Result<FileVersion> version_of(const std::string& url, std::stop_token stop);

/// The URL without user name and password, for messages.
std::string without_credentials(std::string_view url);

} // namespace sheaf::net
