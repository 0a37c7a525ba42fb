// SPDX-License-Identifier: Apache-2.0
#include "join/dpkg_status.hpp"

#include "join/package_texts.hpp"
#include "join/stanza.hpp"

#include <fmt/format.h>

namespace sheaf::join {

namespace {

/// "removed", "version 1.2", or "version 1.2 (deinstall ok config-files)".
std::string state_of(const std::optional<std::string>& stanza) {
  if (!stanza) {
    return "removed";
  }
  const auto version = stanza_field(*stanza, "Version").value_or("unknown");
  const auto status = stanza_field(*stanza, "Status").value_or("unknown");
  return status == "install ok installed" ? fmt::format("version {}", version)
                                          : fmt::format("version {} ({})", version, status);
}

} // namespace

Result<Records> DpkgStatus::parse(std::string_view file, std::string_view text) const {
  return parse_stanzas(file, text, package_key);
}

Result<std::string> DpkgStatus::print(std::string_view /*file*/, const Records& records) const {
  return print_stanzas(records);
}

void DpkgStatus::order(std::string_view /*file*/, Records& records, std::size_t /*added_from*/) const {
  sort_by_package(records);
}

std::string DpkgStatus::explain(const Conflict& conflict) const {
  return package_conflict_text(conflict.key, conflict, state_of(conflict.value_a), state_of(conflict.value_b));
}

std::string DpkgStatus::other_remedy(const Conflict& conflict) const { return one_snapshot_text(conflict.key); }

} // namespace sheaf::join
