// SPDX-License-Identifier: Apache-2.0
#pragma once

// The patterns of .dockerignore and of COPY --exclude (Dockerfile reference, ".dockerignore files"): Go's
// filepath.Match, "**" for any number of folders, "!" for exceptions; the last match decides, and a pattern that
// matches a folder matches all that is in it.

#include "base/diagnostics.hpp"
#include "base/result.hpp"
#include "base/source_text.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "context/glob.hpp"

namespace sheaf::context {

class IgnorePatterns {
public:
  IgnorePatterns() = default;
  /// The text of an ignore file: one pattern per line, '#' comments. Mistakes go to `diagnostics`, each with its line.
  static IgnorePatterns parse(const std::shared_ptr<const SourceText>& source, Diagnostics& diagnostics);
  /// `invalid` names the pattern that is none.
  static Result<IgnorePatterns> from_list(const std::vector<std::string>& patterns);

  bool empty() const { return m_patterns.empty(); }
  /// `path` is relative and clean ("a/b").
  bool excludes(std::string_view path) const;
  /// May something below the excluded folder `path` be an exception? If not, a walk need not go there.
  bool may_except_below(std::string_view path) const;

private:
  struct Pattern {
    Glob glob;
    bool negated = false;
  };
  /// `text` as a line of an ignore file; nothing for a blank one.
  Result<void> add(std::string_view text);
  std::vector<Pattern> m_patterns;
};

/// Go's filepath.Match: '*' and '?' do not match '/', "[a-z]", "[^a]", '\' escapes. `invalid` for a malformed pattern.
Result<bool> matches_wildcard(std::string_view pattern, std::string_view name);
bool has_wildcard(std::string_view pattern);

} // namespace sheaf::context
