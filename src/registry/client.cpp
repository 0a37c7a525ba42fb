// SPDX-License-Identifier: Apache-2.0
#include "registry/client.hpp"

#include "registry/client_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::registry {

Client::Client(Hosts hosts) : m_impl(std::make_unique<Impl>(std::move(hosts))) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

std::uint64_t Client::bytes_received() const { return m_impl->received; }
std::uint64_t Client::bytes_sent() const { return m_impl->sent; }

Result<void> Client::check_login(const std::string& host, const Credential& credential, std::stop_token stop) {
  // A session of its own: what it learns is about this credential only.
  Session session(host, m_impl->hosts, m_impl->http);
  session.use(credential);
  const auto doing = fmt::format("logging in to '{}'", host);
  net::Request request;
  request.url = "/v2/";
  SHEAF_TRY_ASSIGN(const auto response, session.send({}, std::move(request), std::move(stop)).context(doing));
  if (response.status == 404) {
    return Error(ErrorCode::unsupported, fmt::format("{}: it is no registry: it knows no /v2/", doing))
        .with_hint("is the port right?");
  }
  if (!response.ok()) {
    return session.error_of(response).with_context(doing);
  }
  return {};
}

std::string Place::path(std::string_view rest) const { return fmt::format("/v2/{}/{}", repository, rest); }

bool may_ask_next(const Error& error) { return error.code() != ErrorCode::cancelled; }

Session& Client::Impl::session(const std::string& host) {
  const std::scoped_lock lock(mutex);
  auto& kept = sessions[host];
  if (!kept) {
    kept = std::make_unique<Session>(host, hosts, http);
  }
  return *kept;
}

Place Client::Impl::origin(const oci::Reference& image) { return {&session(image.registry), image.repository}; }

std::vector<Place> Client::Impl::places(const oci::Reference& image) {
  std::vector<Place> all;
  const auto settings = hosts.settings.find(image.registry);
  if (settings != hosts.settings.end()) {
    for (const auto& mirror : settings->second.mirrors) {
      const auto slash = std::min(mirror.find('/'), mirror.size());
      const auto prefix = mirror.substr(std::min(slash + 1, mirror.size()));
      all.push_back({&session(mirror.substr(0, slash)),
                     prefix.empty() ? image.repository : fmt::format("{}/{}", prefix, image.repository)});
    }
  }
  all.push_back(origin(image));
  return all;
}

} // namespace sheaf::registry
