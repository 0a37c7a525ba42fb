// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures of folders: what a staged folder holds at the moment it gets its place, and which states of which files a
// flush of the whole file system reached.

#include "base/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace sheaf::durability {

/// Keeps contents once, by digest: `<folder>/<64 hex digits>`.
class Objects {
public:
  explicit Objects(std::string folder) : m_folder(std::move(folder)) {}
  /// The content's name.
  Result<std::string> put(std::string_view content) const;

private:
  std::string m_folder;
};

/// All that is at `path`, itself first, as a list of objects: "path" (relative, empty for the first), "ino", "mode",
/// "uid", "gid", "size", "mtime", "ctime" (nanoseconds), for devices "device", for links "target", for regular files
/// "data" (the name of its content), and "attributes" (name to hex digits) where there are any. A name that is no UTF-8
/// has its bytes as Latin-1.
Result<nlohmann::json> picture_of(const std::string& path, const Objects& objects);

/// All that is at `path` as a list of pairs of inode and time of its last change in nanoseconds.
Result<nlohmann::json> states_of(const std::string& path);

} // namespace sheaf::durability
