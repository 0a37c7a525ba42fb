// SPDX-License-Identifier: Apache-2.0
#pragma once

// dpkg's diversions, /var/lib/dpkg/diversions: three lines each, the diverted path, where its file went, and the
// package that asked for it (":" for the administrator).

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: the diverted path; values: the three lines. Added diversions follow the base's, sorted by path.
class Diversions final : public Driver {
public:
  std::string_view name() const override { return "dpkg-diversions"; }
  bool owns(std::string_view file) const override { return file == "var/lib/dpkg/diversions"; }
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
};

} // namespace sheaf::join
