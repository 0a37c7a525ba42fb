// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace sheaf::net {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorCode::invalid, fmt::format("'{}' is not a web address: {}", without_credentials(text), why)};
}

bool is_control_or_blank(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }

/// "." and ".." taken out (RFC 3986, 5.2.4).
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto parts = split(path.substr(path.starts_with('/') ? 1 : 0), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    if (parts[i] == ".." && !kept.empty()) {
      kept.pop_back();
    }
    if (parts[i] != "." && parts[i] != "..") {
      kept.push_back(parts[i]);
    } else if (is_last) {
      kept.emplace_back();
    }
  }
  std::string result;
  for (const auto part : kept) {
    result.append("/").append(part);
  }
  return result.empty() ? "/" : result;
}

/// Splits "path?query" and drops "#fragment".
void take_path(std::string_view text, Url& url) {
  text = text.substr(0, text.find('#'));
  const auto question = text.find('?');
  url.path = text.substr(0, question);
  url.query = question == std::string_view::npos ? std::string_view() : text.substr(question + 1);
}

bool is_authority(std::string_view text) {
  const auto host_end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[') && host_end == std::string_view::npos) {
    return false;
  }
  const auto rest = host_end == std::string_view::npos ? std::string_view()
                                                       : text.substr(text.starts_with('[') ? host_end + 1 : host_end);
  const bool is_port =
      rest.empty() || (rest.starts_with(':') && to_number<std::uint16_t>(rest.substr(1)).value_or(0) != 0);
  return is_port && !host_of(text).empty();
}

} // namespace

Result<Url> Url::parse(std::string_view text) {
  if (std::ranges::any_of(text, is_control_or_blank)) {
    return invalid("", "it contains blanks or control characters");
  }
  const auto colon = text.find("://");
  Url url;
  url.scheme = lower(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return invalid(text, "it begins with neither http:// nor https://");
  }
  const auto rest = text.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = rest.substr(0, end);
  const auto at = authority.rfind('@');
  url.user_info = at == std::string_view::npos ? std::string_view() : authority.substr(0, at);
  url.authority = lower(at == std::string_view::npos ? authority : authority.substr(at + 1));
  if (!is_authority(url.authority)) {
    return invalid(text, "it has no host, or a port that is no number");
  }
  take_path(rest.substr(end), url);
  if (url.path.empty()) {
    url.path = "/";
  }
  return url;
}

std::string Url::to_string() const {
  return fmt::format("{}://{}{}{}{}{}{}", scheme, user_info, user_info.empty() ? "" : "@", authority, path,
                     query.empty() ? "" : "?", query);
}

std::string Url::shown() const { return fmt::format("{}://{}{}", scheme, authority, path); }

std::string Url::origin() const {
  const bool has_port = authority.ends_with(']') ? false : authority.rfind(':') != std::string::npos;
  return fmt::format("{}://{}{}", scheme, authority, has_port ? "" : (scheme == "https" ? ":443" : ":80"));
}

std::string Url::host() const { return host_of(authority); }

Url& Url::add_query(std::string_view name, std::string_view value) {
  query += fmt::format("{}{}={}", query.empty() || query.ends_with('&') ? "" : "&", percent_encoded(name),
                       percent_encoded(value));
  return *this;
}

Result<Url> resolve(const Url& base, std::string_view reference) {
  const auto scheme_end = reference.find(':');
  if (scheme_end != std::string_view::npos && scheme_end < reference.find_first_of("/?#")) {
    return Url::parse(reference);
  }
  if (reference.starts_with("//")) {
    return Url::parse(fmt::format("{}:{}", base.scheme, reference));
  }
  if (std::ranges::any_of(reference, is_control_or_blank)) {
    return invalid("", "it contains blanks or control characters");
  }
  Url url = base;
  url.user_info.clear();
  take_path(reference, url);
  if (url.path.empty()) {
    url.path = base.path;
    url.query = reference.starts_with('?') ? url.query : base.query;
  } else if (!url.path.starts_with('/')) {
    url.path = base.path.substr(0, base.path.rfind('/') + 1) + url.path;
  }
  url.path = without_dots(url.path);
  return url;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("-._~").find(c) != std::string_view::npos;
    result += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    return std::string(authority.substr(1, authority.find(']') - 1));
  }
  return std::string(authority.substr(0, authority.rfind(':')));
}

bool is_loopback(std::string_view authority) {
  const auto host = lower(host_of(authority));
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") {
    return true;
  }
  const auto parts = split(host, '.');
  return parts.size() == 4 && parts.front() == "127" &&
         std::ranges::all_of(parts, [](std::string_view part) { return to_number<std::uint8_t>(part).has_value(); });
}

std::string without_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return std::string(url);
  }
  const auto end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  const auto at = url.substr(0, end).rfind('@');
  return at == std::string_view::npos || at < scheme
             ? std::string(url)
             : fmt::format("{}{}", url.substr(0, scheme + 3), url.substr(at + 1));
}

} // namespace sheaf::net
