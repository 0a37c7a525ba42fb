// SPDX-License-Identifier: Apache-2.0
#include "sbom/packages.hpp"

#include "base/text.hpp"
#include "join/apk_installed.hpp"
#include "join/dpkg_status.hpp"
#include "join/rpm_database.hpp"
#include "join/rpm_header.hpp"
#include "join/stanza.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>

#include "sbom/package_files.hpp"

namespace sheaf::sbom {
namespace {

/// Far more than any of these files has; what is larger is no such file.
constexpr std::size_t k_largest_file = std::size_t{512} << 20U;
constexpr std::size_t k_largest_small_file = std::size_t{8} << 20U;

/// Images without dpkg itself have one file per package here.
constexpr std::string_view k_dpkg_parts = "var/lib/dpkg/status.d/";
/// Where Debian's packages of node modules are.
constexpr std::string_view k_node_share = "usr/share/nodejs/";

enum class FileKind { dpkg_status, dpkg_part, apk, rpm, npm, python };

template <std::size_t Count>
bool contains(const std::array<std::string_view, Count>& files, std::string_view path) {
  return std::ranges::find(files, path) != files.end();
}

/// Is `path` that of a module's own package.json, not of a folder inside of a module?
bool is_node_module(std::string_view path) {
  constexpr std::string_view k_name = "/package.json";
  constexpr std::string_view k_folder = "node_modules/";
  if (!path.ends_with(k_name)) {
    return false;
  }
  const auto module = path.substr(0, path.size() - k_name.size());
  const auto parts = [](std::string_view name) {
    return name.empty() ? 0 : std::count(name.begin(), name.end(), '/') + 1;
  };
  const auto is_name = [&](std::string_view name) { return parts(name) == (name.starts_with('@') ? 2 : 1); };
  if (module.starts_with(k_node_share) && is_name(module.substr(k_node_share.size()))) {
    return true;
  }
  const auto at = module.rfind(k_folder);
  return at != std::string_view::npos && (at == 0 || module[at - 1] == '/') &&
         is_name(module.substr(at + k_folder.size()));
}

bool is_python_metadata(std::string_view path) {
  return path.ends_with(".dist-info/METADATA") || path.ends_with(".egg-info/PKG-INFO") ||
         path.ends_with("/EGG-INFO/PKG-INFO") || path.ends_with(".egg-info");
}

std::optional<FileKind> kind_of(std::string_view path) {
  if (path == join::k_dpkg_status_file) {
    return FileKind::dpkg_status;
  }
  if (path.starts_with(k_dpkg_parts)) {
    return path.ends_with(".md5sums") ? std::nullopt : std::optional(FileKind::dpkg_part);
  }
  if (contains(join::k_apk_installed_files, path)) {
    return FileKind::apk;
  }
  if (contains(join::k_rpm_database_files, path)) {
    return FileKind::rpm;
  }
  if (is_node_module(path)) {
    return FileKind::npm;
  }
  return is_python_metadata(path) ? std::optional(FileKind::python) : std::nullopt;
}

std::string field(std::string_view stanza, std::string_view name) {
  return std::string(join::stanza_field(stanza, name).value_or(""));
}

/// Its files are there, all or some of them.
bool is_installed(std::string_view stanza) {
  const auto status = join::stanza_field(stanza, "Status");
  return !status || !(status->ends_with(" config-files") || status->ends_with(" not-installed"));
}

Package deb_package(std::string_view stanza) {
  Package package;
  package.name = field(stanza, "Package");
  package.version = field(stanza, "Version");
  package.architecture = field(stanza, "Architecture");
  const auto source = field(stanza, "Source"); // "name" or "name (version)"
  const auto space = source.find(' ');
  package.source_name = source.substr(0, space);
  if (space != std::string::npos && source.size() > space + 3) {
    package.source_version = source.substr(space + 2, source.size() - space - 3);
  }
  return package;
}

Package apk_package(std::string_view stanza) {
  Package package;
  package.type = PackageType::apk;
  package.name = field(stanza, "P");
  package.version = field(stanza, "V");
  package.architecture = field(stanza, "A");
  package.licence = field(stanza, "L");
  package.source_name = field(stanza, "o");
  return package;
}

/// "bash-5.2.15-1.fc38.src.rpm" into name and version with release.
std::pair<std::string, std::string> split_source_file(std::string_view file) {
  constexpr std::string_view k_end = ".src.rpm";
  if (!file.ends_with(k_end)) {
    return {};
  }
  file.remove_suffix(k_end.size());
  const auto release = file.rfind('-');
  const auto version =
      release == std::string_view::npos || release == 0 ? std::string_view::npos : file.rfind('-', release - 1);
  if (version == std::string_view::npos) {
    return {};
  }
  return {std::string(file.substr(0, version)), std::string(file.substr(version + 1))};
}

Package rpm_package(const join::RpmHeader& header) {
  Package package;
  package.type = PackageType::rpm;
  package.name = header.string(join::RpmTag::name);
  package.version = header.version();
  package.architecture = header.string(join::RpmTag::architecture);
  package.licence = header.string(join::RpmTag::licence);
  std::tie(package.source_name, package.source_version) =
      split_source_file(header.string(join::RpmTag::source_package));
  return package;
}

Result<std::vector<Package>> parse_dpkg(std::string_view path, std::string_view content) {
  SHEAF_TRY_ASSIGN(const auto records, join::DpkgStatus().parse(path, content));
  std::vector<Package> packages;
  for (const auto& record : records) {
    if (is_installed(record.value)) {
      packages.push_back(deb_package(record.value));
    }
  }
  return packages;
}

Result<std::vector<Package>> parse_apk(std::string_view path, std::string_view content) {
  SHEAF_TRY_ASSIGN(const auto records, join::ApkInstalled().parse(path, content));
  std::vector<Package> packages;
  packages.reserve(records.size());
  for (const auto& record : records) {
    packages.push_back(apk_package(record.value));
  }
  return packages;
}

Result<std::vector<Package>> parse_rpm(std::string_view path, std::string_view content) {
  SHEAF_TRY_ASSIGN(const auto records, join::RpmDatabase().parse(path, content));
  std::vector<Package> packages;
  for (const auto& record : records) {
    SHEAF_TRY_ASSIGN(const auto header, join::RpmHeader::parse(record.value));
    if (header.string(join::RpmTag::name) != "gpg-pubkey") { // a signing key that rpm keeps as if it were a package
      packages.push_back(rpm_package(header));
    }
  }
  return packages;
}

Result<std::vector<Package>> single(Result<Package> package) {
  if (!package) {
    return std::move(package).error();
  }
  return std::vector<Package>{std::move(*package)};
}

auto order_of(const Package& package) {
  return std::tie(package.type, package.name, package.version, package.architecture, package.purl, package.places);
}

/// Puts in order, one entry per URL.
std::vector<Package> sorted_and_merged(std::vector<Package> packages) {
  std::ranges::sort(packages, [](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
  std::vector<Package> merged;
  std::map<std::string, std::size_t> by_url;
  for (auto& package : packages) {
    const auto [known, is_new] = by_url.emplace(package.purl, merged.size());
    if (is_new) {
      merged.push_back(std::move(package));
    } else {
      auto& places = merged[known->second].places;
      places.insert(places.end(), package.places.begin(), package.places.end());
    }
  }
  for (auto& package : merged) {
    std::ranges::sort(package.places);
    package.places.erase(std::unique(package.places.begin(), package.places.end()), package.places.end());
  }
  return merged;
}

} // namespace

Result<Distribution> distribution_of(const TreeStack& root) {
  // In the order of os-release(5); the first is usually a link to the second.
  for (const auto* path : {"etc/os-release", "usr/lib/os-release"}) {
    SHEAF_TRY_ASSIGN(const auto entry, root.find(path));
    if (!entry || entry->entry.type != layer::EntryType::file) {
      continue;
    }
    if (const auto text = root.read(*entry, k_largest_small_file)) {
      return parse_os_release(*text);
    }
  }
  return Distribution();
}

namespace {

/// Adds what one file says.
void add_file(const TreeStack& root, const TreeEntry& entry, FileKind kind, Packages& all) {
  const auto& path = entry.entry.path;
  const bool is_small = kind == FileKind::npm || kind == FileKind::python || kind == FileKind::dpkg_part;
  const auto content = root.read(entry, is_small ? k_largest_small_file : k_largest_file);
  auto packages = content ? parse_packages(path, *content) : Result<std::vector<Package>>(content.error());
  if (!packages) {
    all.unreadable.push_back(path);
    return;
  }
  for (auto& package : *packages) {
    package.purl = purl_of(package, all.distribution);
    package.places = {path};
    all.packages.push_back(std::move(package));
  }
}

} // namespace

bool names_packages(std::string_view path) { return kind_of(path).has_value(); }

Result<std::vector<Package>> parse_packages(std::string_view path, std::string_view content) {
  const auto kind = kind_of(path);
  if (!kind) {
    return Error(ErrorCode::invalid, fmt::format("'/{}' names no packages", path));
  }
  switch (*kind) {
  case FileKind::dpkg_status:
  case FileKind::dpkg_part:
    return parse_dpkg(path, content);
  case FileKind::apk:
    return parse_apk(path, content);
  case FileKind::rpm:
    return parse_rpm(path, content);
  case FileKind::npm:
    return single(parse_package_json(content));
  case FileKind::python:
    return single(parse_python_metadata(content));
  }
  return Error(ErrorCode::internal, "an unknown kind of package file");
}

Distribution parse_os_release(std::string_view text) {
  Distribution distribution;
  const auto unquoted = [](std::string_view value) {
    value = trim(value);
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  };
  for (const auto line : lines_of(text)) {
    if (line.starts_with("ID=")) {
      distribution.id = unquoted(line.substr(3));
    } else if (line.starts_with("VERSION_ID=")) {
      distribution.version = unquoted(line.substr(11));
    } else if (line.starts_with("ID_LIKE=")) {
      distribution.like = unquoted(line.substr(8));
    } else if (line.starts_with("PRETTY_NAME=")) {
      distribution.title = unquoted(line.substr(12));
    }
  }
  return distribution;
}

Result<Packages> find_packages(const TreeStack& root) {
  Packages all;
  SHEAF_TRY_ASSIGN(all.distribution, distribution_of(root));
  SHEAF_TRY(root.walk(Detail::names, [&](const TreeEntry& entry) -> Result<void> {
    const auto kind = entry.entry.type == layer::EntryType::file ? kind_of(entry.entry.path) : std::nullopt;
    if (kind) {
      add_file(root, entry, *kind, all);
    }
    return {};
  }));
  all.packages = sorted_and_merged(std::move(all.packages));
  std::ranges::sort(all.unreadable);
  return all;
}

} // namespace sheaf::sbom
