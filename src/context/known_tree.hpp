// SPDX-License-Identifier: Apache-2.0
#pragma once

// A tree whose digests are remembered from one build to the next: those of whole selections by the stamps of all that
// their walks met, those of files by theirs.

#include "base/digest.hpp"
#include "os/fd.hpp"

#include <optional>
#include <string>

#include "context/content_digest.hpp"
#include "context/ignore_patterns.hpp"
#include "context/selection.hpp"

namespace sheaf::context {

/// Not safe from several threads; uses some itself.
class KnownTree {
public:
  /// `memory` is the path of a file, and with ".walks" after it of a folder, that need not be there yet. `ignore` is
  /// the text of an ignore file, whose mistakes somebody else has told of.
  static Result<KnownTree> open(const std::string& path, const std::string& ignore, std::string memory);

  /// As `digest_of` what `select` gives, owners ignored.
  Result<Digest> digest(const Selection& selection);
  /// Writes what was learnt about files.
  Result<void> save();

private:
  KnownTree(os::Fd tree, IgnorePatterns patterns, std::string ignore, std::string memory)
      : m_tree(std::move(tree)),
        m_patterns(std::move(patterns)),
        m_ignore(std::move(ignore)),
        m_memory(std::move(memory)) {}
  Digest key_of(const Selection& selection, const std::vector<FoundSource>& found) const;
  Result<void> make_room() const;

  os::Fd m_tree;
  IgnorePatterns m_patterns;
  std::string m_ignore;
  std::string m_memory;
  std::optional<DigestCache> m_files; ///< read when it is needed
};

} // namespace sheaf::context
