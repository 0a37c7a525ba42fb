// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files that are a function of the whole composed root: bundles, indexes and caches that a tool makes out of what
// packages left in well-known folders. The table says which they are, what they are made of and by what. Pure; who
// runs the tools is builder/generated_files.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sheaf::generate {

/// How a generator makes its files.
enum class Method {
  /// Runs `script` in the composed root.
  tool,
  /// certificates.hpp
  certificates,
  /// java_keystore.hpp
  java_keystore,
};

/// One kind of generated file. All paths and patterns are root-relative, in the language of base/path_pattern.hpp.
struct Generator {
  std::string_view name;
  /// Part of the cache key: raise it when the same sources would now give other files.
  int version = 1;
  /// What it makes. A pattern that begins with '!' takes paths out again.
  std::span<const std::string_view> outputs;
  /// Symlinks whose name and target are those of an output although regular files there are somebody's own.
  bool makes_certificate_links = false;
  /// What it reads, its own program included: a change of these calls for a new run.
  std::span<const std::string_view> sources;
  /// The result also depends on the modification times of source directories.
  bool records_times = false;
  /// Patterns without "**"; each must match something in the composed root, or there is nothing to do.
  std::span<const std::string_view> requires_paths;
  Method method = Method::tool;
  /// For /bin/sh -e; makes all outputs from scratch, in an order that does not depend on that of directories.
  std::string_view script;
  /// Account that runs the script; empty is root.
  std::string_view user;
  /// For people: why the outputs cannot be a layer's.
  std::string_view reason;
};

/// All of them, in the order in which they run.
std::span<const Generator> generators();

/// The generator that makes the entry at `path`, or null. `link_target` is the text of a symlink.
const Generator* output_of(const std::string& path, const std::optional<std::string>& link_target);
/// Does `generator` make the entry?
bool is_output(const Generator& generator, const std::string& path, const std::optional<std::string>& link_target);

/// Whether something was put at a path or taken away from it, with all below.
enum class Change { put, removed };
/// Does a change at `path` concern a source of `generator`?
bool is_source(const Generator& generator, const std::string& path, Change change);

} // namespace sheaf::generate
