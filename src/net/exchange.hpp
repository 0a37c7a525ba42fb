// SPDX-License-Identifier: Apache-2.0
#pragma once

// One question to a server and its answer, by libcurl: no redirects, no second attempts. Used by HttpClient alone.

#include "net/curl_library.hpp"
#include "net/request.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>

namespace sheaf::net {

struct Outcome {
  Response response;
  /// Why there is no whole answer.
  std::optional<Error> failure;
  /// Another attempt may go better.
  bool is_temporary = false;
  /// Nobody took the connection, or nobody has the host's name.
  bool is_unreachable = false;
};

/// `received`: how many bytes the sink of `request` has had; grows. `handle` may have been used before: its connections
/// are used again.
Outcome exchange(const CurlLibrary& curl, CURL* handle, const Request& request, std::uint64_t& received,
                 std::stop_token stop);

} // namespace sheaf::net
