// SPDX-License-Identifier: Apache-2.0
#include "registry/session.hpp"

#include "base/text.hpp"
#include "registry/answer.hpp"
#include "registry/base64.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::registry {
namespace {

/// A token is not used for its last seconds: it has to last until the request is there.
constexpr std::chrono::seconds k_token_margin{5};
constexpr std::chrono::seconds k_probe_limit{5};

/// Trust for another server than the registry: its own authorities may vouch for it, all else is the registry's alone.
net::Trust trust_beside(const net::Trust& trust, const net::Url& registry, const net::Url& other) {
  return registry.host() == other.host() ? trust : net::Trust{trust.authorities, {}, {}, false};
}

std::string basic(const Credential& credential) {
  return to_base64(fmt::format("{}:{}", credential.username, credential.password));
}

} // namespace

std::vector<std::string> Scope::to_strings() const {
  std::vector<std::string> scopes;
  if (!repository.empty()) {
    scopes.push_back(fmt::format("repository:{}:{}", repository, access == Access::push ? "pull,push" : "pull"));
  }
  for (const auto& source : sources) {
    scopes.push_back(fmt::format("repository:{}:pull", source));
  }
  return scopes;
}

Session::Session(std::string host, const Hosts& hosts, net::HttpClient& http)
    : m_host(std::move(host)), m_hosts(hosts), m_http(http) {}

Result<net::Response> Session::send(const Scope& scope, net::Request request, std::stop_token stop) {
  {
    const std::scoped_lock lock(m_mutex);
    SHEAF_TRY(connect(stop));
    SHEAF_TRY_ASSIGN(const auto url, net::resolve(*m_base, request.url));
    request.url = url.to_string();
    request.plain_http = m_base->scheme == "http" ? net::PlainHttp::permitted : net::PlainHttp::refused;
    request.trust = trust_beside(m_trust, *m_base, url);
    const bool once = request.retry.attempts == 1;
    request.retry = m_hosts.retry;
    request.retry.attempts = once ? 1 : m_hosts.retry.attempts;
    if (url.origin() == m_base->origin()) {
      SHEAF_TRY_ASSIGN(const auto authorization_now, authorization(scope, stop));
      net::set_header(request.headers, "authorization", authorization_now);
      request.authorise = [this, &scope, stop](net::Request& again, const net::Response& response) {
        return answer_challenge(scope, again, response, stop);
      };
    }
  }
  auto response = m_http.send(std::move(request), stop);
  if (!response && response.error().code() == ErrorCode::denied) {
    return std::move(response).hint(
        fmt::format("if an authority of your own vouches for '{0}', put its certificate into "
                    "/etc/docker/certs.d/{0}/ca.crt; or name the host insecure in the settings",
                    m_host));
  }
  return response;
}

Result<void> Session::connect(const std::stop_token& stop) {
  if (m_base) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto endpoint, endpoint_of(m_hosts, m_host));
  SHEAF_TRY_ASSIGN(const auto secure, net::Url::parse(fmt::format("https://{}/", endpoint.authority)));
  m_trust = endpoint.trust;
  const auto encrypted = endpoint.may_be_plain ? probe(secure, 1, stop) : Result<int>(0);
  if (encrypted) {
    m_base = secure;
    return {};
  }
  auto plain = secure;
  plain.scheme = "http";
  SHEAF_TRY_ASSIGN(const auto status, probe(plain, m_hosts.retry.attempts, stop));
  if (status == 400) { // as servers with TLS answer to those without
    return Error(encrypted.error()).with_context(fmt::format("reaching '{}'", m_host));
  }
  m_base = plain;
  return {};
}

/// The status of the answer.
Result<int> Session::probe(const net::Url& base, int attempts, const std::stop_token& stop) {
  net::Request request;
  request.url = base.to_string() + "v2/";
  request.trust = m_trust;
  request.connect_limit = k_probe_limit;
  request.retry = m_hosts.retry;
  request.retry.attempts = attempts;
  SHEAF_TRY_ASSIGN(const auto response, m_http.send(std::move(request), stop));
  remember_challenge(response);
  return response.status;
}

void Session::remember_challenge(const net::Response& response) {
  if (response.status != 401) {
    return;
  }
  std::optional<Challenge> chosen;
  for (const auto& [name, value] : response.headers) {
    if (name != "www-authenticate") {
      continue;
    }
    for (auto& challenge : parse_challenges(value)) {
      const bool is_bearer = challenge.scheme == "bearer" && !challenge.parameter("realm").empty();
      if (is_bearer || (challenge.scheme == "basic" && !chosen)) {
        chosen = std::move(challenge);
      }
    }
  }
  m_challenge = chosen ? chosen : m_challenge;
}

Result<bool> Session::answer_challenge(const Scope& scope, net::Request& request, const net::Response& response,
                                       const std::stop_token& stop) {
  const std::scoped_lock lock(m_mutex);
  const auto before =
      std::ranges::find(request.headers, "authorization", [](const auto& header) { return header.first; });
  const auto refused = before == request.headers.end() ? std::string() : before->second;
  remember_challenge(response);
  const auto kept = m_tokens.find(joined(scope.to_strings(), " "));
  if (kept != m_tokens.end() && refused == "Bearer " + kept->second.text) {
    m_tokens.erase(kept); // unless another thread has a newer one already
  }
  SHEAF_TRY_ASSIGN(const auto now, authorization(scope, stop));
  net::set_header(request.headers, "authorization", now);
  return !now.empty() && now != refused;
}

Result<std::string> Session::authorization(const Scope& scope, const std::stop_token& stop) {
  if (!m_challenge) {
    return std::string();
  }
  if (m_challenge->scheme == "bearer") {
    SHEAF_TRY_ASSIGN(const auto token, bearer(scope, stop));
    return "Bearer " + token;
  }
  const auto credential = credential_for(scope.repository);
  return credential ? "Basic " + basic(*credential) : std::string();
}

Result<std::string> Session::bearer(const Scope& scope, const std::stop_token& stop) {
  const auto key = joined(scope.to_strings(), " ");
  const auto found = m_tokens.find(key);
  if (found != m_tokens.end() && std::chrono::steady_clock::now() < found->second.until) {
    return found->second.text;
  }
  const auto asked_at = std::chrono::steady_clock::now();
  SHEAF_TRY_ASSIGN(auto token, fetch_token(scope, stop).context(fmt::format("getting a token for '{}'", m_host)));
  const auto margin = std::min(k_token_margin, token.lifetime / 2);
  m_tokens[key] = {token.text, asked_at + token.lifetime - margin};
  return token.text;
}

Result<Token> Session::fetch_token(const Scope& scope, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(const auto realm, net::resolve(*m_base, m_challenge->parameter("realm")));
  const TokenQuestion question{realm.to_string(), m_challenge->parameter("service"), scope.to_strings(),
                               credential_for(scope.repository)};
  SHEAF_TRY_ASSIGN(auto request, token_request(question));
  request.trust = trust_beside(m_trust, *m_base, realm);
  request.plain_http = m_base->scheme == "http" ? net::PlainHttp::permitted : net::PlainHttp::refused;
  request.retry = m_hosts.retry;
  const auto secrets = request.secrets;
  SHEAF_TRY_ASSIGN(auto response, m_http.send(std::move(request), stop));
  if (!response.ok()) {
    response.body = net::redacted(std::move(response.body), secrets);
    // Token servers answer 400 to an identity token that is no longer good.
    response.status = response.status == 400 && question.credential ? 401 : response.status;
    return error_of(response).with_context(fmt::format("asking the token server '{}'", realm.shown()));
  }
  return parse_token(response.body);
}

Error Session::error_of(const net::Response& answer) {
  const std::scoped_lock lock(m_mutex);
  auto response = answer;
  std::string user;
  std::vector<std::string> secrets;
  for (const auto& [repository, credential] : m_credentials) {
    if (credential) {
      user = credential->username.empty() ? "the identity token that was kept" : credential->username;
      secrets.insert(secrets.end(), {basic(*credential), credential->password, credential->identity_token});
    }
  }
  for (const auto& [scope, token] : m_tokens) {
    secrets.push_back(token.text);
  }
  response.body = net::redacted(std::move(response.body), secrets);
  auto error = registry::error_of(response, m_host);
  const auto hint = response.status == 401 && !user.empty()
                        ? fmt::format("it does not accept '{}' for this: run 'sheaf login {}' again", user, m_host)
                        : error.hint();
  const auto details = error.code() == ErrorCode::denied && m_credential_error
                           ? fmt::format("no credentials were used: {}", m_credential_error->summary())
                           : error.details();
  return std::move(error).with_hint(hint).with_details(details);
}

std::optional<Credential> Session::credential_for(const std::string& repository) {
  if (m_given) {
    m_credentials[repository] = m_given;
    return m_given;
  }
  const auto known = m_credentials.find(repository);
  if (known != m_credentials.end() || !m_hosts.credential) {
    return known == m_credentials.end() ? std::nullopt : known->second;
  }
  auto found = m_hosts.credential(m_host, repository.empty() ? m_host : fmt::format("{}/{}", m_host, repository));
  if (!found) {
    // Much is public: what is wrong with the files is only said if the registry refuses us.
    m_credential_error = found.error();
    return std::nullopt;
  }
  m_credentials[repository] = *found;
  return *found;
}

void Session::use(Credential credential) {
  const std::scoped_lock lock(m_mutex);
  m_given = std::move(credential);
}

bool Session::wants_credentials() {
  const std::scoped_lock lock(m_mutex);
  return m_challenge.has_value();
}

} // namespace sheaf::registry
