// SPDX-License-Identifier: Apache-2.0
#pragma once

// Downloads of files over HTTP(S), on top of HttpClient.

#include "base/result.hpp"
#include "net/url.hpp"

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

/// Downloads `url` to `file`, which is there only if all of it is. Tries three times. `network` says what failed, with
/// the status the server gave; `not_found` for 404 and 410; passwords in the URL are not shown.
Result<FileVersion> download(const std::string& url, const std::string& file, std::stop_token stop);

/// Asks for the version without the content (HEAD).
Result<FileVersion> version_of(const std::string& url, std::stop_token stop);

} // namespace sheaf::net
