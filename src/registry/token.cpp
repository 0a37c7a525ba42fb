// SPDX-License-Identifier: Apache-2.0
#include "registry/token.hpp"

#include "base/text.hpp"
#include "net/url.hpp"
#include "registry/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sheaf::registry {
namespace {

using Json = nlohmann::json;
constexpr std::string_view k_client = "sheaf";
constexpr std::int64_t k_longest_lifetime = 24L * 60 * 60;

void ask_with_identity_token(const TokenQuestion& question, net::Request& request) {
  const auto& secret = question.credential->identity_token;
  request.method = "POST";
  net::set_header(request.headers, "content-type", "application/x-www-form-urlencoded");
  request.body = fmt::format("grant_type=refresh_token&service={}&client_id={}&scope={}&refresh_token={}",
                             net::percent_encoded(question.service), k_client,
                             net::percent_encoded(joined(question.scopes, " ")), net::percent_encoded(secret));
  request.secrets.push_back(secret);
}

void ask_with_password(const TokenQuestion& question, net::Url& url, net::Request& request) {
  if (!question.service.empty()) {
    url.add_query("service", question.service);
  }
  for (const auto& scope : question.scopes) {
    url.add_query("scope", scope);
  }
  if (!question.credential) {
    return;
  }
  const auto& [user, password, identity] = *question.credential;
  const auto pair = to_base64(fmt::format("{}:{}", user, password));
  url.add_query("account", user);
  net::set_header(request.headers, "authorization", "Basic " + pair);
  request.secrets.push_back(pair);
  request.secrets.push_back(password);
}

} // namespace

Result<net::Request> token_request(const TokenQuestion& question) {
  SHEAF_TRY_ASSIGN(auto url, net::Url::parse(question.realm).context("looking for the token server"));
  net::Request request;
  if (question.credential && !question.credential->identity_token.empty()) {
    ask_with_identity_token(question, request);
  } else {
    ask_with_password(question, url, request);
  }
  request.url = url.to_string();
  request.most_bytes = 1U << 20U;
  return request;
}

Result<Token> parse_token(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  Token token;
  for (const auto* key : {"token", "access_token"}) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    if (token.text.empty() && found != json.end() && found->is_string()) {
      token.text = found->get<std::string>();
    }
  }
  // It goes into a header: nothing in it may end one.
  const bool is_usable =
      !token.text.empty() && std::ranges::all_of(token.text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_usable) {
    return Error(ErrorCode::corrupt, "the token server's answer holds no token");
  }
  const auto lifetime = json.find("expires_in");
  if (lifetime != json.end() && lifetime->is_number()) {
    const auto seconds = lifetime->get<double>();
    token.lifetime = std::chrono::seconds(
        static_cast<std::int64_t>(std::clamp(seconds, 0.0, static_cast<double>(k_longest_lifetime))));
  }
  return token;
}

} // namespace sheaf::registry
