// SPDX-License-Identifier: Apache-2.0
#pragma once

// "type=tar,dest=out.tar": the lists of attributes that docker's options take. A field in double quotes may hold commas
// (CSV, RFC 4180).

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app {

struct Attribute {
  std::string name;
  /// Nothing if there is no '='.
  std::optional<std::string> value;
};

/// `invalid` for quotes that are not closed.
Result<std::vector<Attribute>> parse_attributes(std::string_view text);

} // namespace sheaf::app
