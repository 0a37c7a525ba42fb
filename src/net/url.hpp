// SPDX-License-Identifier: Apache-2.0
#pragma once

// Web addresses as values. Pure. Source: RFC 3986; of schemes only http and https.

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace sheaf::net {

struct Url {
  /// "http" or "https".
  std::string scheme;
  /// "user:password", as written; empty if none.
  std::string user_info;
  /// Host in lower case and maybe ":port"; IPv6 in brackets.
  std::string authority;
  /// Begins with "/".
  std::string path;
  /// Without the "?".
  std::string query;

  /// `invalid`; fragments are dropped.
  static Result<Url> parse(std::string_view text);
  std::string to_string() const;
  /// For messages: no user information, no query, for both may hold secrets.
  std::string shown() const;
  /// Scheme, host and port, the port always spelled: what decides whether credentials may go there.
  std::string origin() const;
  /// Without port and brackets.
  std::string host() const;
  /// A name and a value more in the query.
  Url& add_query(std::string_view name, std::string_view value);
  bool operator==(const Url&) const = default;
};

/// `reference`, absolute or relative, as seen from `base` (a Location or a Link).
Result<Url> resolve(const Url& base, std::string_view reference);
/// All but letters, digits and "-._~" as %XX.
std::string percent_encoded(std::string_view text);
/// The host (without port) of "host", "host:port", "[v6]" or "[v6]:port".
std::string host_of(std::string_view authority);
/// "localhost", names below it, 127.0.0.0/8 and ::1, by spelling alone; with or without a port.
bool is_loopback(std::string_view authority);
/// The URL without user name and password, for messages.
std::string without_credentials(std::string_view url);

} // namespace sheaf::net
