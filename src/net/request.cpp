// SPDX-License-Identifier: Apache-2.0
#include "net/request.hpp"

#include "base/text.hpp"
#include "net/url.hpp"

#include <algorithm>

namespace sheaf::net {
namespace {

/// Shorter secrets would blot out half of every message, and protect nobody.
constexpr std::size_t k_shortest_secret = 4;

void blot_out(std::string& text, const std::string& secret) {
  if (secret.size() < k_shortest_secret) {
    return;
  }
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
}

} // namespace

std::string_view Response::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint64_t> Response::content_length() const {
  return to_number<std::uint64_t>(header("content-length"));
}

std::string redacted(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    blot_out(text, secret);
    blot_out(text, percent_encoded(secret));
  }
  return text;
}

void set_header(Headers& headers, std::string_view name, std::string_view value) {
  std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  if (!value.empty()) {
    headers.emplace_back(name, value);
  }
}

} // namespace sheaf::net
