// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the packages of a root file system in the files that package managers leave there: deb, apk, rpm, npm, pip.
// The files are untrusted: what cannot be read is counted and passed over.

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "sbom/package.hpp"
#include "sbom/tree_stack.hpp"

namespace sheaf::sbom {

struct Packages {
  Distribution distribution;
  /// Sorted by type, name, version, architecture; one entry for what several files say alike.
  std::vector<Package> packages;
  /// Root-relative paths of files that should have named a package and could not be read, sorted.
  std::vector<std::string> unreadable;
};

/// Reads every tree once. An error is one of the store, never of what a file says.
Result<Packages> find_packages(const TreeStack& root);

/// Does the file at root-relative `path` name packages?
bool names_packages(std::string_view path);
/// The packages that such a file names, without URLs and places. `corrupt` if it cannot be read.
Result<std::vector<Package>> parse_packages(std::string_view path, std::string_view content);
/// Which distribution the root is, as its os-release says; empty if it says nothing.
Result<Distribution> distribution_of(const TreeStack& root);
/// What a text of os-release(5) says.
Distribution parse_os_release(std::string_view text);

} // namespace sheaf::sbom
