// SPDX-License-Identifier: Apache-2.0
#pragma once

// apk's archive of the scripts of installed packages (run at upgrade, removal and by triggers): a tar file whose member
// names hold the package, its version and its checksum. The union of the members.

#include "join/driver.hpp"

#include <array>

namespace sheaf::join {

/// apk 3 compresses it, unless it finds the plain file.
inline constexpr std::array<std::string_view, 4> k_apk_scripts_files = {
    "lib/apk/db/scripts.tar", "usr/lib/apk/db/scripts.tar", "lib/apk/db/scripts.tar.gz",
    "usr/lib/apk/db/scripts.tar.gz"};

/// Keys: member names; the nth equal one ends in "\nN". Values: the member's blocks (POSIX ustar or GNU long name),
/// its time set to 0: apk 2 writes the time of the transaction for every member, and never reads it. A
/// compressed file is written without compression.
class ApkScripts final : public Driver {
public:
  std::string_view name() const override { return "apk-scripts"; }
  bool owns(std::string_view file) const override;
  /// `corrupt` with the byte offset; `unsupported` for members that are not files.
  Result<Records> parse(std::string_view file, std::string_view text) const override;
  Result<std::string> print(std::string_view file, const Records& records) const override;
};

} // namespace sheaf::join
