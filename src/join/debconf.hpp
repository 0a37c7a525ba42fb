// SPDX-License-Identifier: Apache-2.0
#pragma once

// debconf's databases below /var/cache/debconf: questions, templates and passwords, one stanza per name, sorted by
// name. Two layers may use one question: its owners and flags are united, its other fields merged one by one.

#include "join/driver.hpp"

namespace sheaf::join {

/// Keys: the stanza's "Name". Source: debconf-devel(7), Debconf::Format::822 (order of fields and stanzas).
class Debconf final : public Driver {
public:
  std::string_view name() const override { return "debconf"; }
  bool owns(std::string_view file) const override;
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
  void order(std::string_view file, Records& records, std::size_t added_from) const override;
  /// A field that one side left alone is the other's; a conflict only if both changed one field differently.
  std::optional<Reconciled> reconcile(const Sides& sides) const override;
  FileAttributes attributes(std::string_view file) const override;
};

} // namespace sheaf::join
