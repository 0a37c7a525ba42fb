// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks web servers: redirects, repeated attempts, transfers that go on where they broke, connections used again.
// Proxies come from the environment. Knows no registry.

#include "net/request.hpp"

#include <memory>
#include <stop_token>

namespace sheaf::net {

/// Safe from several threads: each request has a connection of its own while it lasts.
class HttpClient {
public:
  HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// The answer, whatever its status is, after all attempts the request's policy allows for. `network` if there was
  /// none; `denied` for certificates that are not trusted and for plain HTTP where it is refused; `corrupt` for an
  /// answer of another size than there should be; `cancelled`; what the sink gave; `unsupported` without libcurl.
  /// Messages name neither what was asked nor whom: that is the caller's context.
  Result<Response> send(Request request, std::stop_token stop);

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

} // namespace sheaf::net
