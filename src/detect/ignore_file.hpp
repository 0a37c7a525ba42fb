// SPDX-License-Identifier: Apache-2.0
#pragma once

// The patterns of a `.gitignore` and of several of them, one in the other (gitignore(5)). Pure; used by the walk.
// `.dockerignore` has other rules: see context/ignore_patterns.hpp.

#include "detect/wildcard.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::detect {

enum class EntryKind { file, directory };
enum class Verdict { none, ignored, included };

/// One file.
class IgnoreFile {
public:
  /// Anything is an ignore file; lines that can match nothing are without effect.
  static IgnoreFile parse(std::string_view text);

  /// By the last pattern that fits; none if no pattern does. `path` is relative to the folder of the file, clean
  /// ("a/b"), and no folder on the way is ignored.
  Verdict verdict(std::string_view path, EntryKind kind) const;
  bool empty() const { return m_patterns.empty(); }

private:
  enum class Form : std::uint8_t {
    name,      ///< `literal` is the last part of the path
    suffix,    ///< the last part ends with `literal`
    path,      ///< `literal` is the path
    wild_name, ///< `wildcard` matches the last part
    wild_path, ///< the path starts with `literal`, and `wildcard` matches the rest
  };
  struct Pattern {
    Form form = Form::name;
    bool is_negated = false;
    bool is_for_directories = false;
    std::string literal;
    std::optional<Wildcard> wildcard;
  };
  static std::optional<Pattern> pattern_from(std::string_view line);
  static bool fits(const Pattern& pattern, std::string_view path, std::string_view name);

  std::vector<Pattern> m_patterns;
};

/// The files of a folder and of those it is in. What a deeper one says counts more. Copies share the files.
class IgnoreFiles {
public:
  /// `folder` is that of the file below the root: "" or "a/b/". Files of a folder are added after those it is in.
  void push(std::string_view folder, IgnoreFile file);
  void pop() { m_levels.pop_back(); }
  /// `path` is relative to the root and below the last folder; no folder on the way is ignored.
  bool ignores(std::string_view path, EntryKind kind) const;

private:
  struct Level {
    std::size_t folder_size = 0;
    std::shared_ptr<const IgnoreFile> file;
  };
  std::vector<Level> m_levels;
};

} // namespace sheaf::detect
