// SPDX-License-Identifier: Apache-2.0
#pragma once

// /etc/apk/world: what was asked for by name, with or without a constraint ("foo", "foo=1.2-r0", "foo>2", "foo@edge",
// "!foo"). The union of what the layers asked for.

#include "join/driver.hpp"

namespace sheaf::join {

inline constexpr std::string_view k_apk_world_file = "etc/apk/world";

/// Keys: package names. One layer asks for a package, another for it with a constraint: the constraint stays, since it
/// satisfies both (apk itself would keep whichever was asked for last). Two constraints are a conflict, and so are
/// "foo" and "!foo". Source: apk-world(5).
class ApkWorld final : public Driver {
public:
  std::string_view name() const override { return "apk-world"; }
  bool owns(std::string_view file) const override { return file == k_apk_world_file; }
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  std::string explain(const Conflict& conflict) const override;
};

} // namespace sheaf::join
