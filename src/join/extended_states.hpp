// SPDX-License-Identifier: Apache-2.0
#pragma once

// apt's memory of which packages came only as dependencies, /var/lib/apt/extended_states. A package stays "automatic"
// only if every layer that installed it calls it so: else `apt-get autoremove` would remove what a layer asked for.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: "package:architecture"; packages of architecture "all" are listed by the native one. apt keeps the file's
/// order and appends; here the canonical order is by package and architecture, which apt reads as well.
class ExtendedStates final : public Driver {
public:
  std::string_view name() const override { return "apt-extended-states"; }
  bool owns(std::string_view file) const override { return file == "var/lib/apt/extended_states"; }
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  /// Manual wins, and having no record means manual.
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  /// Drops the mark of a package that another layer installed (says its dpkg status) without marking it.
  void settle(FileMerge& merge) const override;
};

} // namespace sheaf::join
