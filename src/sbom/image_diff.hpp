// SPDX-License-Identifier: Apache-2.0
#pragma once

// What differs between two root file systems: packages and files. What both have from the same trees is not looked at.

#include "base/result.hpp"
#include "layer/inventory.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sbom/packages.hpp"
#include "sbom/tree_stack.hpp"

namespace sheaf::sbom {

/// A version that only one side has, or one in place of another. At least one of the two is there.
struct PackageChange {
  PackageType type = PackageType::deb;
  std::string name;
  std::string architecture;
  std::optional<std::string> before;
  std::optional<std::string> after;
  bool operator==(const PackageChange&) const = default;
};

/// What of a path that is on both sides differs.
enum class Aspect { type, mode, owner, content, target, attributes };
std::string_view to_string(Aspect aspect);

/// A path of which the sides say different things. At least one of the two is there; times and digests are not looked
/// at.
struct FileChange {
  std::optional<layer::Entry> before;
  std::optional<layer::Entry> after;
  /// Of a path on both sides, not empty, in the order of the enum.
  std::vector<Aspect> aspects;
  const std::string& path() const { return before ? before->path : after->path; }
};

struct ImageDiff {
  /// Sorted by type, name, architecture, versions.
  std::vector<PackageChange> packages;
  /// Sorted by path, a folder before what is in it. Of a folder on one side only, all that is in it is listed.
  std::vector<FileChange> files;
  /// Bytes of files that only the one or the other side has; a changed file counts on both sides.
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

/// Times are not compared: two builds of the same thing have their own.
Result<ImageDiff> diff_images(const TreeStack& before, const TreeStack& after);

/// For people: packages first, then files; folders on one side only are one line. Empty if nothing differs.
std::string diff_text(const ImageDiff& diff);
/// An object with "packages", "files" and "bytes".
std::string diff_json(const ImageDiff& diff);

} // namespace sheaf::sbom
