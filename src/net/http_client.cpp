// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include "net/exchange.hpp"
#include "net/url.hpp"

#include <fmt/format.h>

#include <ctime>
#include <mutex>
#include <vector>

namespace sheaf::net {
namespace {

constexpr int k_most_redirects = 10;

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

bool is_redirect(const Request& request, const Response& response) {
  const bool keeps_method = response.status == 307 || response.status == 308;
  const bool is_reading = request.method == "GET" || request.method == "HEAD";
  const bool may_change = response.status == 301 || response.status == 302 || response.status == 303;
  return request.redirects == Redirects::followed && !response.header("location").empty() &&
         (keeps_method || (may_change && is_reading));
}

/// What says who we are stays with the scheme, host and port it was meant for.
void leave_origin(Request& request, const Url& from, const Url& to) {
  if (from.origin() == to.origin()) {
    return;
  }
  set_header(request.headers, "authorization", {});
  set_header(request.headers, "cookie", {});
  request.trust.client_certificate.clear();
  request.trust.client_key.clear();
  request.trust.anyone = request.trust.anyone && from.host() == to.host();
}

/// May another attempt go better, after so many `failures` before this one? A server that is not there at all is mostly
/// a mistake in its name: it is asked twice, no more.
bool is_temporary(const Outcome& outcome, bool has_brought_something, int failures) {
  if (!outcome.failure) {
    return is_temporary_status(outcome.response.status);
  }
  return outcome.is_temporary && (!outcome.is_unreachable || has_brought_something || failures == 0);
}

} // namespace

struct HttpClient::Impl {
  std::mutex mutex;
  std::vector<Handle> idle;

  Handle take(const CurlLibrary& curl) {
    const std::scoped_lock lock(mutex);
    if (idle.empty()) {
      return {curl.easy_init(), curl.easy_cleanup};
    }
    auto handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }

  void give_back(Handle handle) {
    const std::scoped_lock lock(mutex);
    idle.push_back(std::move(handle));
  }

  /// One attempt, through all redirects.
  Outcome follow(const CurlLibrary& curl, Request request, std::uint64_t& received, const std::stop_token& stop) {
    auto handle = take(curl);
    if (!handle) {
      return {{}, Error(ErrorCode::internal, "libcurl gave no handle"), false};
    }
    Outcome outcome;
    for (int redirects = 0;; ++redirects) {
      outcome = exchange(curl, handle.get(), request, received, stop);
      if (outcome.failure || !is_redirect(request, outcome.response)) {
        break;
      }
      if (auto moved = move_on(request, outcome.response, redirects); !moved) {
        outcome.failure = moved.error();
        break;
      }
    }
    give_back(std::move(handle));
    return outcome;
  }

  static Result<void> move_on(Request& request, const Response& response, int redirects) {
    if (redirects == k_most_redirects) {
      return Error(ErrorCode::network, fmt::format("the server redirected more than {} times", k_most_redirects));
    }
    SHEAF_TRY_ASSIGN(const auto from, Url::parse(request.url));
    SHEAF_TRY_ASSIGN(auto to, resolve(from, response.header("location")).context("following a redirect"));
    if (from.origin() == to.origin()) {
      to.user_info = from.user_info;
    }
    leave_origin(request, from, to);
    request.url = to.to_string();
    return {};
  }
};

HttpClient::HttpClient() : m_impl(std::make_unique<Impl>()) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<Response> HttpClient::send(Request request, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(const auto* curl, curl_library());
  SHEAF_TRY_ASSIGN(const auto asked, Url::parse(request.url));
  Retries retries(request.retry);
  std::uint64_t received = request.offset;
  for (bool may_authorise = static_cast<bool>(request.authorise);;) {
    const auto before = received;
    auto outcome = m_impl->follow(*curl, request, received, stop);
    const auto answered_by = Url::parse(outcome.response.url);
    const bool is_own_answer = !outcome.failure && answered_by && answered_by->origin() == asked.origin();
    if (is_own_answer && outcome.response.status == 401 && may_authorise) {
      may_authorise = false;
      SHEAF_TRY_ASSIGN(const bool again, request.authorise(request, outcome.response));
      if (again) {
        continue;
      }
    }
    const bool was_progress = received > before && !request.restart;
    may_authorise = may_authorise || (was_progress && request.authorise);
    const auto asked_for = parse_retry_after(outcome.response.header("retry-after"), std::time(nullptr));
    if (!is_temporary(outcome, received > request.offset, retries.failures()) ||
        !retries.wait_after_failure(was_progress, asked_for, stop)) {
      if (stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      return outcome.failure ? Result<Response>(*outcome.failure) : std::move(outcome.response);
    }
    if (request.restart && received > 0) {
      received = 0;
      SHEAF_TRY(request.restart());
    }
  }
}

} // namespace sheaf::net
