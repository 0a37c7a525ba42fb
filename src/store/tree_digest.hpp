// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a tree is: names, types, modes, owners, link targets, extended attributes, deletions, which names are one file,
// and contents. Equal for a tree that an ordinary user made and one that root made. Docs: docs/formats/store.md.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sheaf::store {

struct TreeDigest {
  /// Without times.
  Digest content;
  /// With the modification times of all but directories, in whole seconds.
  Digest exact;
  /// Sum of the sizes of files, one that has several names once.
  std::uint64_t bytes = 0;
  /// Entries, the root not counted.
  std::uint64_t files = 0;
};

/// Sees what files hold while it is read anyway; called from several threads at the same time.
struct OnContent {
  /// May be empty. Large files come in pieces of at most `k_largest_shown` and `overlap` bytes, in order.
  std::function<void(const std::string& path, std::string_view content)> look;
  /// Every piece of a file but the first begins with so many bytes of what was shown before it.
  std::size_t overlap = 0;
};
inline constexpr std::size_t k_largest_shown = std::size_t{1} << 20U;

/// What files of a tree hold, by inode number, from whoever just wrote them.
using KnownContents = std::unordered_map<ino_t, Digest>;

/// Digests the tree at `path`, on all processors if it has many files. Nobody else may
/// change the tree meanwhile.
Result<TreeDigest> digest_tree(const std::string& path, const OnContent& on_content = {});
/// As above, but reads only files whose content is not known.
Result<TreeDigest> digest_tree(const std::string& path, const KnownContents& known);

} // namespace sheaf::store
