// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tokens that a server other than the registry gives out. Source: the token and OAuth2 documents of the distribution
// project.

#include "net/http_client.hpp"
#include "registry/hosts.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

struct Token {
  std::string text;
  std::chrono::seconds lifetime{60};
};

/// What is wanted, and of whom.
struct TokenQuestion {
  /// An absolute URL.
  std::string realm;
  std::string service;
  /// "repository:team/app:pull,push", …
  std::vector<std::string> scopes;
  std::optional<Credential> credential;
};

/// The request for it: GET with name and password or nothing, POST with an identity token. Pure. `invalid` for a realm
/// that is no web address.
Result<net::Request> token_request(const TokenQuestion& question);
/// Of the server's JSON. Pure. `corrupt` if there is no token in it.
Result<Token> parse_token(std::string_view text);

} // namespace sheaf::registry
