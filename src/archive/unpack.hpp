// SPDX-License-Identifier: Apache-2.0
#pragma once

// Unpacks an archive below a directory, which nothing in the archive can leave: names are resolved beneath it, links
// included (openat2 with RESOLVE_IN_ROOT).

#include "archive/file_content.hpp"
#include "archive/reader.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace sheaf::archive {

enum class Whiteouts {
  plain,   ///< ".wh." has no meaning (ADD)
  overlay, ///< OCI layer: ".wh.x" and ".wh..wh..opq" become overlayfs's marks
};

enum class Devices {
  made,     ///< where that is permitted; elsewhere they are left out and listed
  left_out, ///< of a file that is only read from: opening one could do anything
};

struct UnpackOptions {
  Devices devices = Devices::made;
  Whiteouts whiteouts = Whiteouts::plain;
  /// Everything gets this owner; nothing keeps the archive's.
  std::optional<std::pair<unsigned, unsigned>> owner;
  /// Younger times become this one, seconds since 1970.
  std::optional<std::int64_t> epoch;
  /// Beyond these it is a bomb: `invalid`. Holes count, too: whoever reads the files later has to read them.
  std::uint64_t most_bytes = std::uint64_t{1} << 40U;
  std::uint64_t most_entries = 10'000'000;
  /// Whether the contents' digests are taken while they are written.
  ContentDigest digest = ContentDigest::none;
};

struct Unpacked {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  /// Device nodes that an ordinary user cannot make, sorted by path below the root.
  std::vector<Entry> devices_left_out;
  /// Of the files, by inode number; not of all, and some of these files may have been replaced since.
  std::unordered_map<ino_t, Digest> contents;
};

/// `directory`, which must be there, is where the archive's names begin: absolute ones too, and ".." stops there.
/// `root` bounds what links can reach (for a layer and for ADD the same directory). Later entries win over earlier ones
/// and over what is there, but directories merge. An error names the entry that it is about.
Result<Unpacked> unpack(Reader& reader, const os::Fd& root, const std::string& directory, const UnpackOptions& options);

} // namespace sheaf::archive
