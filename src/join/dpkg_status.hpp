// SPDX-License-Identifier: Apache-2.0
#pragma once

// dpkg's database of packages, /var/lib/dpkg/status: one stanza per package and architecture, in dpkg's own order, so
// that the merged file is the one dpkg would have written. Two versions of one package are a conflict.

#include "join/driver.hpp"

namespace sheaf::join {

inline constexpr std::string_view k_dpkg_status_file = "var/lib/dpkg/status";

/// Keys: "package:architecture". Source: deb822(5), dpkg lib/dpkg/dump.c (sorted by name, then architecture).
class DpkgStatus final : public Driver {
public:
  std::string_view name() const override { return "dpkg-status"; }
  /// And what dselect knows of packages, in the same form.
  bool owns(std::string_view file) const override {
    return file == k_dpkg_status_file || file == "var/lib/dpkg/available";
  }
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  std::string explain(const Conflict& conflict) const override;
  std::string other_remedy(const Conflict& conflict) const override;
};

} // namespace sheaf::join
