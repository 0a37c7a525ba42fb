// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a server wants to see before it answers: the header WWW-Authenticate. Pure; the text comes from strangers.
// Source: RFC 9110, 11.6.1; the token document of the distribution project.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::registry {

struct Challenge {
  /// "basic", "bearer", …: lower case.
  std::string scheme;
  /// Names in lower case; of one that comes twice, the first.
  std::map<std::string, std::string> parameters;

  /// Empty if there is none.
  std::string parameter(const std::string& name) const;
  bool operator==(const Challenge&) const = default;
};

/// All challenges of one header, in order. What cannot be understood is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

} // namespace sheaf::registry
