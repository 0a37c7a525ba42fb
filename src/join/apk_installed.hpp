// SPDX-License-Identifier: Apache-2.0
#pragma once

// apk's database of packages: one stanza per package, "X:value" lines, a blank line between stanzas. Two versions of
// one package are a conflict.

#include "join/driver.hpp"

#include <array>

namespace sheaf::join {

/// Where apk keeps it: apk 2 and 3, and roots whose /lib is a part of /usr (apk >= 2.14.7).
inline constexpr std::array<std::string_view, 2> k_apk_installed_files = {"lib/apk/db/installed",
                                                                          "usr/lib/apk/db/installed"};

/// Keys: package names. A base in the order of names, as apk 3 writes it, stays in that order; in any other the base's
/// packages keep their places and added ones follow by name. Source: apk-tools, src/database.c.
class ApkInstalled final : public Driver {
public:
  std::string_view name() const override { return "apk-installed"; }
  bool owns(std::string_view file) const override;
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  std::string explain(const Conflict& conflict) const override;
  std::string other_remedy(const Conflict& conflict) const override;
};

} // namespace sheaf::join
