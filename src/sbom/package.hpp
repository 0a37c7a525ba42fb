// SPDX-License-Identifier: Apache-2.0
#pragma once

// A package that a package manager put into a root file system, and its name among all packages of the world.
// Source: package-url specification, PURL-SPECIFICATION.rst and PURL-TYPES.rst.

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::sbom {

enum class PackageType { deb, apk, rpm, npm, pip };
/// "deb", …
std::string_view to_string(PackageType type);

/// Which distribution a root is, as its os-release says; empty without one.
struct Distribution {
  /// "debian"
  std::string id;
  /// "12"
  std::string version;
  /// Distributions it is made from or like, separated by blanks: "ubuntu debian".
  std::string like = {};
  /// For people: "Debian GNU/Linux 12 (bookworm)".
  std::string title = {};
};

struct Package {
  PackageType type = PackageType::deb;
  /// As its package manager prints it: "libc6", "@scope/name".
  std::string name;
  std::string version;
  /// As its package manager names it; empty for npm and pip.
  std::string architecture;
  /// What it was built from; empty if not stated or the same.
  std::string source_name;
  std::string source_version;
  /// In the package's own words; empty if not stated.
  std::string licence;
  /// "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12"
  std::string purl;
  /// Root-relative paths of the files that say so, sorted.
  std::vector<std::string> places;
  bool operator==(const Package&) const = default;
};

/// The parts of a package URL, decoded.
struct PackageUrl {
  std::string type;
  /// Pieces of the namespace, outermost first.
  std::vector<std::string> name_space;
  std::string name;
  std::string version;
  /// Empty values are left out.
  std::map<std::string, std::string> qualifiers;
  std::string subpath;
};
/// The canonical text: what has to be is percent-encoded, names as their type wants them (lower case for most, "_" as
/// "-" for pypi), qualifiers sorted by key.
std::string to_string(const PackageUrl& url);
/// The URL of a package of that distribution; `epoch` of rpm's versions becomes a qualifier.
std::string purl_of(const Package& package, const Distribution& distribution);

} // namespace sheaf::sbom
