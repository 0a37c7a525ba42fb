// SPDX-License-Identifier: Apache-2.0
#pragma once

// Digest of what a selection holds: names, types, modes, contents, link targets, extended attributes, and owners where
// they are kept; never times. The digests of file contents are remembered by the files' stamps, so that an unchanged
// context costs a stat walk.

#include "base/digest.hpp"
#include "os/file.hpp"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "context/selection.hpp"

namespace sheaf::context {

/// Digests of the files of one tree by path and stamp (inode, size, mtime, ctime), kept in one file. A file that was
/// changed in the last moments before it was read is not trusted the next time (racy timestamps, as in git's index).
/// Safe from several threads.
class DigestCache {
public:
  /// A missing or damaged file is an empty cache.
  static DigestCache load(const std::string& path);
  DigestCache(DigestCache&&) noexcept;
  DigestCache& operator=(DigestCache&&) noexcept;
  ~DigestCache();
  /// Writes what was learnt since; nothing to do if nothing was.
  Result<void> save();

  struct Data;
  Data& data() { return *m_data; }

private:
  explicit DigestCache(std::unique_ptr<Data> data);
  std::unique_ptr<Data> m_data;
};

enum class Owners { ignored, counted };

/// `tree` must be what `selected` was taken from. `cache` may be null.
Result<Digest> digest_of(const os::Fd& tree, const std::vector<SelectedSource>& selected, Owners owners,
                         DigestCache* cache);

/// A digest, and what was looked at for it.
struct StampedDigest {
  Digest digest;
  /// Of all entries of all sources, in their order; a file's is the one it had after it was read.
  std::vector<os::FileStamp> stamps;
  /// The file system that all are on; nothing if there are several, or no entries.
  std::optional<dev_t> device;
};
Result<StampedDigest> stamped_digest_of(const os::Fd& tree, const std::vector<SelectedSource>& selected, Owners owners,
                                        DigestCache* cache);

} // namespace sheaf::context
