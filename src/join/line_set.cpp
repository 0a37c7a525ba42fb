// SPDX-License-Identifier: Apache-2.0
#include "join/line_set.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace sheaf::join {

namespace {

enum class KeyRule {
  whole_line,
  /// From the first " /" to the end: the path is the last field and may hold blanks.
  path,
  /// Up to "=": a shell-like assignment.
  variable,
};

struct LineFile {
  std::string_view file;
  KeyRule rule;
};

constexpr std::array<LineFile, 9> k_files = {{
    {"etc/environment", KeyRule::variable},
    {"etc/shells", KeyRule::whole_line},
    {"var/lib/dpkg/arch", KeyRule::whole_line},
    {"var/lib/dpkg/statoverride", KeyRule::path},
    {"var/lib/ucf/hashfile", KeyRule::path},
    {"var/lib/ucf/registry", KeyRule::path},
    {"var/lib/dpkg/triggers/File", KeyRule::whole_line},
    {"lib/apk/db/triggers", KeyRule::whole_line},
    {"usr/lib/apk/db/triggers", KeyRule::whole_line},
}};

/// Explicit triggers: /var/lib/dpkg/triggers/NAME lists the packages interested in NAME.
bool is_trigger(std::string_view file) {
  constexpr std::string_view k_directory = "var/lib/dpkg/triggers/";
  if (!file.starts_with(k_directory)) {
    return false;
  }
  const auto name = file.substr(k_directory.size());
  return !name.empty() && name.find('/') == std::string_view::npos && name != "Lock" && name != "Unincorp" &&
         !name.ends_with(".new") && !name.ends_with("-old");
}

KeyRule rule_of(std::string_view file) {
  const auto* found = std::find_if(k_files.begin(), k_files.end(), [&](const auto& row) { return row.file == file; });
  return found == k_files.end() ? KeyRule::whole_line : found->rule;
}

std::string_view key_of(std::string_view line, KeyRule rule) {
  const auto comment = line.starts_with('#');
  if (rule == KeyRule::path) {
    const auto at = line.find(" /");
    return at == std::string_view::npos || comment ? line : line.substr(at + 1);
  }
  return rule == KeyRule::variable && !comment ? line.substr(0, line.find('=')) : line;
}

} // namespace

bool LineSet::owns(std::string_view file) const {
  return std::any_of(k_files.begin(), k_files.end(), [&](const auto& row) { return row.file == file; }) ||
         is_trigger(file);
}

Result<Records> LineSet::parse(std::string_view file, std::string_view text) const {
  const auto rule = rule_of(file);
  Records records;
  for (const auto line : lines_of(text)) {
    // A key is never empty; that of a blank line is one no other line can have.
    const auto key = key_of(line, rule);
    records.push_back({std::string(key.empty() ? "\n" : key), std::string(line)});
  }
  number_repeated_keys(records);
  return records;
}

Result<std::string> LineSet::print(std::string_view /*file*/, const Records& records) const {
  std::string text;
  for (const auto& record : records) {
    text.append(record.value).append("\n");
  }
  return text;
}

} // namespace sheaf::join
