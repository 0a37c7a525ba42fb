// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes a whole directory into a tar.

#include "archive/tar_writer.hpp"
#include "archive/unpack.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace sheaf::archive {

struct TreeOptions {
  /// overlay: the directory is an overlayfs layer whose marks become ".wh." names, and attributes that belong to this
  /// machine are left out.
  Whiteouts whiteouts = Whiteouts::plain;
  /// Device nodes to write as if they were there: paths below the directory.
  std::vector<Entry> devices;
  std::stop_token stop;
};

/// All of the directory, sorted by name within each folder, hard links found, sockets left out. Returns how many
/// entries were written. `unsupported` for a file whose own name begins with ".wh." if whiteouts are written.
Result<std::uint64_t> write_tree(const os::Fd& directory, TarWriter& writer, const TreeOptions& options = {});

} // namespace sheaf::archive
