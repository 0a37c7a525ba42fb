// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared files whose lines stand for themselves: dpkg's and apk's trigger interests, stat overrides, login shells,
// certificates, locales, enabled units, the environment. The union of what the layers added; a table says by what part
// of a line it is keyed.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: the line, or its path, or its variable, see the table in line_set.cpp; the nth equal key ends in "\nN", so
/// that no line is lost. Lines of the base keep their order, added ones follow, sorted by key. Without a base the lines
/// keep the order that one of the layers has.
class LineSet final : public Driver {
public:
  std::string_view name() const override { return "line-set"; }
  bool owns(std::string_view file) const override;
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  /// A locale that one side wants is wanted; all else is a conflict.
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  bool keeps_order() const override { return true; }
};

} // namespace sheaf::join
