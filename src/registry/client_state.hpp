// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the parts of Client share: sessions by host, and where an image may be asked for.

#include "net/http_client.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "registry/session.hpp"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

/// A repository as one registry or mirror names it.
struct Place {
  Session* session = nullptr;
  std::string repository;

  /// "/v2/REPOSITORY/REST".
  std::string path(std::string_view rest) const;
  Scope pull() const { return {repository, Access::pull, {}}; }
  Scope push() const { return {repository, Access::push, {}}; }
};

struct PutAnswer {
  Digest digest;
  /// The registry lists the manifest among the referrers of its subject.
  bool took_subject = false;
};

struct Client::Impl {
  explicit Impl(Hosts known) : hosts(std::move(known)) {}

  Session& session(const std::string& host);
  Place origin(const oci::Reference& image);
  /// Mirrors first, the registry itself last.
  std::vector<Place> places(const oci::Reference& image);
  Result<PutAnswer> put_manifest(const oci::Reference& image, std::string_view text, std::string_view media_type,
                                 std::stop_token stop);

  /// What the first place that does not fail gives. `doing`: verb and object, for the error.
  template <class Function>
  auto from_any(const oci::Reference& image, std::string_view doing, Function function);

  Hosts hosts;
  net::HttpClient http;
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Session>> sessions;
  std::atomic<std::uint64_t> received = 0;
  std::atomic<std::uint64_t> sent = 0;
};

/// May a mirror's failure be got over by asking the next place?
bool may_ask_next(const Error& error);

template <class Function>
auto Client::Impl::from_any(const oci::Reference& image, std::string_view doing, Function function) {
  const auto all = places(image);
  std::string failed_mirrors;
  for (std::size_t i = 0;; ++i) {
    auto result = function(all[i]);
    const bool is_last = i + 1 == all.size();
    if (result || is_last || !may_ask_next(result.error())) {
      if (!result && !failed_mirrors.empty() && result.error().details().empty()) {
        (void)std::move(result.error()).with_details(failed_mirrors);
      }
      return std::move(result).context(fmt::format("{} from '{}'", doing, all[i].session->host()));
    }
    failed_mirrors += fmt::format("{}mirror '{}': {}", failed_mirrors.empty() ? "" : "\n", all[i].session->host(),
                                  result.error().summary());
  }
}

} // namespace sheaf::registry
