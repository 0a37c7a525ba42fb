// SPDX-License-Identifier: Apache-2.0
#include "join/apk_installed.hpp"

#include "join/package_texts.hpp"
#include "join/stanza.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::join {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// apk 3 sorts without regard to case, then with.
bool by_name(const Record& a, const Record& b) {
  const auto less = [](char x, char y) {
    return static_cast<unsigned char>(lower(x)) < static_cast<unsigned char>(lower(y));
  };
  if (std::lexicographical_compare(a.key.begin(), a.key.end(), b.key.begin(), b.key.end(), less)) {
    return true;
  }
  return !std::lexicographical_compare(b.key.begin(), b.key.end(), a.key.begin(), a.key.end(), less) && a.key < b.key;
}

std::string state_of(const std::optional<std::string>& stanza) {
  return stanza ? fmt::format("version {}", stanza_field(*stanza, "V").value_or("unknown")) : "removed";
}

} // namespace

bool ApkInstalled::owns(std::string_view file) const {
  return std::find(k_apk_installed_files.begin(), k_apk_installed_files.end(), file) != k_apk_installed_files.end();
}

Result<Records> ApkInstalled::parse(std::string_view file, std::string_view text) const {
  return parse_stanzas(file, text,
                       [](std::string_view stanza) { return std::string(stanza_field(stanza, "P").value_or("")); });
}

Result<std::string> ApkInstalled::print(std::string_view /*file*/, const Records& records) const {
  return print_stanzas(records);
}

void ApkInstalled::order(std::string_view /*file*/, Records& records, std::size_t added_from) const {
  const auto added = records.begin() + static_cast<std::ptrdiff_t>(added_from);
  const bool sorted = std::is_sorted(records.begin(), added, by_name);
  std::sort(sorted ? records.begin() : added, records.end(), by_name);
}

std::string ApkInstalled::explain(const Conflict& conflict) const {
  return package_conflict_text(conflict.key, conflict, state_of(conflict.value_a), state_of(conflict.value_b));
}

std::string ApkInstalled::other_remedy(const Conflict& conflict) const { return one_snapshot_text(conflict.key); }

} // namespace sheaf::join
