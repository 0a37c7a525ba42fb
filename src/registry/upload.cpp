// SPDX-License-Identifier: Apache-2.0
#include "registry/upload.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <ctime>

namespace sheaf::registry {
namespace {

/// A registry may have to move or to hash a large blob before it answers.
constexpr std::chrono::seconds k_stall_limit{300};

/// After this a new upload has to be begun: the registry has forgotten this one, or knows other bytes than we think.
bool is_lost(int status) { return status == 404 || status == 410 || status == 416; }

bool is_worth_another_try(const Result<net::Response>& response) {
  return response ? net::is_temporary_status(response->status) || is_lost(response->status)
                  : response.error().code() == ErrorCode::network;
}

std::optional<std::chrono::seconds> wait_in(const Result<net::Response>& response) {
  return response ? net::parse_retry_after(response->header("retry-after"), std::time(nullptr)) : std::nullopt;
}

} // namespace

std::uint64_t bytes_in_range(std::string_view range) {
  range = range.starts_with("bytes=") ? range.substr(6) : range;
  if (!range.starts_with("0-")) {
    return 0;
  }
  const auto last = to_number<std::uint64_t>(range.substr(2)).value_or(0);
  // Registries say "0-0" for nothing as well as for one byte.
  return last == 0 ? 0 : last + 1;
}

Result<void> Upload::run(std::string location) {
  m_location = std::move(location);
  net::Retries retries(m_client.hosts.retry);
  std::uint64_t before = 0;
  for (;;) {
    if (m_location.empty()) {
      SHEAF_TRY(begin());
    }
    const bool was_progress = m_position > before; // the attempt before this one brought something
    before = m_position;
    const auto response = send_rest();
    if (response && response->ok()) {
      return {};
    }
    if (!is_worth_another_try(response) || !retries.wait_after_failure(was_progress, wait_in(response), m_stop)) {
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      return response ? m_place.session->error_of(*response) : response.error();
    }
    SHEAF_TRY_ASSIGN(const bool is_done, is_there());
    if (is_done) { // only the answer was lost
      return {};
    }
    SHEAF_TRY(find_position());
  }
}

Result<net::Response> Upload::ask(std::string_view method, std::string url, net::FileRange part, bool is_last) {
  net::Request request;
  request.method = method;
  request.url = std::move(url);
  request.stall_limit = k_stall_limit;
  request.retry.attempts = 1; // another attempt has to ask first how far this one came
  net::set_header(request.headers, "content-type", "application/octet-stream");
  if (part.length > 0) {
    request.file = part;
    request.sent = [this](std::uint64_t bytes) { m_client.sent += bytes; };
  }
  if (part.length > 0 && !is_last) {
    net::set_header(request.headers, "content-range", fmt::format("{}-{}", part.offset, part.offset + part.length - 1));
  }
  return m_place.session->send(m_place.push(), std::move(request), m_stop);
}

Result<void> Upload::begin() {
  m_position = 0;
  net::Request request;
  request.method = "POST";
  request.url = m_place.path("blobs/uploads/");
  SHEAF_TRY_ASSIGN(const auto response, m_place.session->send(m_place.push(), std::move(request), m_stop));
  if (response.status != 202) {
    return response.ok()
               ? Error(ErrorCode::network,
                       fmt::format("the registry began no upload: it answered with status {}", response.status))
               : m_place.session->error_of(response);
  }
  return move_to(response);
}

Result<void> Upload::move_to(const net::Response& response) {
  const auto location = response.header("location");
  if (location.empty()) {
    return m_location.empty() ? Result<void>(Error(ErrorCode::network, "the registry did not say where to upload"))
                              : Result<void>();
  }
  SHEAF_TRY_ASSIGN(const auto here, net::Url::parse(response.url));
  SHEAF_TRY_ASSIGN(const auto there, net::resolve(here, location).context("following the registry's Location"));
  m_location = there.to_string();
  return {};
}

/// All in one PUT; after a break the rest by PATCH, and an empty PUT.
Result<net::Response> Upload::send_rest() {
  net::FileRange rest{&m_file, m_position, m_blob.size - m_position};
  if (m_position > 0 && rest.length > 0) {
    auto response = ask("PATCH", m_location, rest, false);
    if (!response || !response->ok()) {
      return response;
    }
    SHEAF_TRY(move_to(*response));
    m_position = m_blob.size;
    rest = {&m_file, m_blob.size, 0};
  }
  SHEAF_TRY_ASSIGN(auto url, net::Url::parse(m_location));
  url.add_query("digest", m_blob.digest.to_string());
  return ask("PUT", url.to_string(), rest, true);
}

/// How far the broken attempt came; a new upload if that cannot be learnt.
Result<void> Upload::find_position() {
  auto response = ask("GET", m_location, {}, false);
  const auto known = response && response->status == 204 ? bytes_in_range(response->header("range")) : 0;
  if (known == 0 || known > m_blob.size) {
    m_location.clear();
    m_position = 0;
    return {};
  }
  m_position = known;
  return move_to(*response);
}

Result<bool> Upload::is_there() {
  net::Request request;
  request.method = "HEAD";
  request.url = m_place.path("blobs/" + m_blob.digest.to_string());
  SHEAF_TRY_ASSIGN(const auto response, m_place.session->send(m_place.push(), std::move(request), m_stop));
  return response.ok();
}

} // namespace sheaf::registry
