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
  /// Without the "!" that deselects a certificate.
  certificate,
  /// Without the "#" that leaves a locale out; other comments by the line.
  locale,
};

struct LineFile {
  std::string_view file;
  KeyRule rule;
};

constexpr std::array<LineFile, 15> k_files = {{
    {"etc/ca-certificates.conf", KeyRule::certificate},
    {"etc/environment", KeyRule::variable},
    {"etc/locale.gen", KeyRule::locale},
    {"etc/sgml/catalog", KeyRule::whole_line},
    {"etc/shells", KeyRule::whole_line},
    {"lib/apk/db/triggers", KeyRule::whole_line},
    {"usr/lib/apk/db/triggers", KeyRule::whole_line},
    {"var/lib/dpkg/arch", KeyRule::whole_line},
    {"var/lib/dpkg/statoverride", KeyRule::path},
    {"var/lib/dpkg/triggers/File", KeyRule::whole_line},
    {"var/lib/pam/seen", KeyRule::whole_line},
    {"var/lib/sgml-base/supercatalog", KeyRule::whole_line},
    {"var/lib/shells.state", KeyRule::whole_line},
    {"var/lib/ucf/hashfile", KeyRule::path},
    {"var/lib/ucf/registry", KeyRule::path},
}};

/// What deb-systemd-helper made when it enabled a unit: the paths of its links,
/// /var/lib/systemd/..-enabled/UNIT.dsh-also.
bool is_unit_links(std::string_view file) {
  return (file.starts_with("var/lib/systemd/deb-systemd-helper-enabled/") ||
          file.starts_with("var/lib/systemd/deb-systemd-user-helper-enabled/")) &&
         file.ends_with(".dsh-also");
}

/// The centralised catalogs of SGML packages, one line per catalog they stand for.
bool is_sgml_catalog(std::string_view file) {
  constexpr std::string_view k_directory = "etc/sgml/";
  return file.starts_with(k_directory) && file.ends_with(".cat") &&
         file.find('/', k_directory.size()) == std::string_view::npos;
}

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

/// "en_US.UTF-8 UTF-8" of "# en_US.UTF-8 UTF-8"; nothing for other lines. Two words are a locale (locale.gen(5)): a
/// comment of two words is taken for one as well, which does no harm.
std::optional<std::string_view> locale_of(std::string_view line) {
  constexpr std::string_view k_blanks = " \t";
  const auto text = trim(line.substr(std::min(line.find_first_not_of("# \t"), line.size())));
  const auto words =
      std::count_if(text.begin(), text.end(), [&](char c) { return k_blanks.find(c) != std::string_view::npos; });
  return words == 1 ? std::optional(text) : std::nullopt;
}

std::string_view key_of(std::string_view line, KeyRule rule) {
  const auto comment = line.starts_with('#');
  if (rule == KeyRule::certificate) {
    return line.starts_with('!') && line.size() > 1 ? line.substr(1) : line;
  }
  if (rule == KeyRule::locale) {
    return locale_of(line).value_or(line);
  }
  if (rule == KeyRule::path) {
    const auto at = line.find(" /");
    return at == std::string_view::npos || comment ? line : line.substr(at + 1);
  }
  return rule == KeyRule::variable && !comment ? line.substr(0, line.find('=')) : line;
}

} // namespace

bool LineSet::owns(std::string_view file) const {
  return std::any_of(k_files.begin(), k_files.end(), [&](const auto& row) { return row.file == file; }) ||
         is_trigger(file) || is_unit_links(file) || is_sgml_catalog(file);
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

std::optional<Reconciled> LineSet::reconcile(const Sides& sides) const {
  if (rule_of(sides.file) != KeyRule::locale || !sides.current || !sides.after) {
    return std::nullopt;
  }
  // A locale that either side wants is generated; '#' sorts first, so equal wishes give one spelling.
  return Reconciled{std::max(*sides.current, *sides.after)};
}

} // namespace sheaf::join
