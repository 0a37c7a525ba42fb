// SPDX-License-Identifier: Apache-2.0
#pragma once

// Users and groups: passwd, group, shadow, gshadow and the ranges of subordinate ids. Lines are merged field by field,
// member lists as sets; an id that two names hold is a conflict, however it came about.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: the name; a name's nth range in subuid and subgid is "name\nN". Lines of the base keep their order, added
/// ones follow by (id, name), or by name in the shadow files, which have no id. Source: passwd(5), group(5),
/// shadow(5), gshadow(5), subuid(5).
class Accounts final : public Driver {
public:
  std::string_view name() const override { return "accounts"; }
  bool owns(std::string_view file) const override;
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  /// True also for lines of shadow that differ only in the day of the last change: that is when the layer was built.
  bool same(std::string_view file, std::string_view a, std::string_view b) const override;
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  /// Reports ids, or ranges of them, that names from different layers both hold: a layer holds an id that it gave to a
  /// name, not one of a line of which it changed another field.
  void settle(FileMerge& merge) const override;
  FileAttributes attributes(std::string_view file) const override;
};

} // namespace sheaf::join
