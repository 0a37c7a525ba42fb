// SPDX-License-Identifier: Apache-2.0
#pragma once

// One registry: how it is reached, and who we are there. Turns a question of a path into one of a URL with
// Authorization.

#include "net/http_client.hpp"
#include "net/url.hpp"
#include "registry/challenge.hpp"
#include "registry/hosts.hpp"
#include "registry/token.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::registry {

enum class Access { pull, push };

/// What a request needs to be allowed to do.
struct Scope {
  /// Empty: nothing but being known.
  std::string repository;
  Access access = Access::pull;
  /// Repositories that blobs are mounted from.
  std::vector<std::string> sources;

  /// As token servers want it: "repository:team/app:pull,push".
  std::vector<std::string> to_strings() const;
};

/// Safe from several threads.
class Session {
public:
  /// All references have to live as long as this.
  Session(std::string host, const Hosts& hosts, net::HttpClient& http);

  const std::string& host() const { return m_host; }
  /// `request.url` may be a path ("/v2/…") or absolute (a Location). The policy of the hosts says how often it is
  /// tried, but for a request that allows for one attempt. The answer, whatever its status; errors as HttpClient::send,
  /// and `denied` from the token server.
  Result<net::Response> send(const Scope& scope, net::Request request, std::stop_token stop);
  /// What an answer that is no success means, with what we know of the credentials.
  Error error_of(const net::Response& answer);
  /// Uses this from now on, whatever the files say.
  void use(Credential credential);
  /// Does it ask for credentials at all?
  bool wants_credentials();

private:
  struct KeptToken {
    std::string text;
    std::chrono::steady_clock::time_point until;
  };

  Result<void> connect(const std::stop_token& stop);
  Result<int> probe(const net::Url& base, int attempts, const std::stop_token& stop);
  Result<std::string> authorization(const Scope& scope, const std::stop_token& stop);
  Result<std::string> bearer(const Scope& scope, const std::stop_token& stop);
  Result<Token> fetch_token(const Scope& scope, const std::stop_token& stop);
  Result<bool> answer_challenge(const Scope& scope, net::Request& request, const net::Response& response,
                                const std::stop_token& stop);
  void remember_challenge(const net::Response& response);
  std::optional<Credential> credential_for(const std::string& repository);

  std::string m_host;
  const Hosts& m_hosts;
  net::HttpClient& m_http;
  /// Guards all below; held while a token is fetched, so that it is fetched once.
  std::recursive_mutex m_mutex;
  std::optional<net::Url> m_base;
  net::Trust m_trust;
  std::optional<Challenge> m_challenge;
  std::map<std::string, KeptToken> m_tokens;
  std::map<std::string, std::optional<Credential>> m_credentials;
  std::optional<Credential> m_given;
  std::optional<Error> m_credential_error;
};

} // namespace sheaf::registry
