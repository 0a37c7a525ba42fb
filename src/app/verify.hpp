// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two promises put to the test: that joined layers are what a sequential build makes (law 3), and that a layer
// comes out the same when it is built again (law 4).

#include "app/build_stack.hpp"
#include "builder/rebuild.hpp"
#include "layer/compare.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

/// A package as the databases of the two roots know it: name, version, architecture and state in one line.
struct PackageDifference {
  std::string package;
  /// "joined" or "sequential": where it is.
  std::string side;
};

struct Equivalence {
  std::vector<std::string> layers;
  layer::Comparison comparison;
  /// Of packages, in the joined root and in the sequential one; nothing if neither has a package database.
  std::optional<std::size_t> joined_packages;
  std::optional<std::size_t> sequential_packages;
  std::vector<PackageDifference> package_differences;
  double sequential_ms = 0;
  double compare_ms = 0;

  std::size_t unexplained() const;
};

/// Makes the selection ready as `up` does, builds it in sequence as well, and compares the two roots. Adds no layer but
/// the selection's own to the store.
Result<Equivalence> verify_equivalence(const Choices& choices, Session session);

/// One layer built again.
struct RebuiltLayer {
  std::string name;
  std::string content_key;
  std::string rebuilt_content_key;
  std::size_t paths = 0;
  /// Empty if the two are bit-identical.
  std::vector<builder::BuildDifference> differences;
  /// The instructions, for naming the step of a difference.
  std::vector<std::string> steps;
  /// What was other than in the first build, for people.
  std::vector<std::string> conditions;
  double milliseconds = 0;

  bool identical() const { return content_key == rebuilt_content_key && differences.empty(); }
};

/// Builds each of `names` (all layers of the catalogue that fit the base if it is empty) once more and compares it with
/// the stored one; a layer that is not built yet is built first. `not_found` for an unknown name.
Result<std::vector<RebuiltLayer>> verify_rebuild(const Choices& choices, const std::vector<std::string>& names,
                                                 Session session);

/// A directory on another file system than the store with room for `bytes` several times; empty if there is none.
std::string other_file_system(const std::string& store_root, std::uint64_t bytes);

} // namespace sheaf::app
