// SPDX-License-Identifier: Apache-2.0
#pragma once

// A row of the table that says what of a build's result is no part of the layer. Written in layer definitions, carried
// by plans, applied by `layer/`; the built-in rows are in layer/capture_rules.cpp.

#include <array>
#include <string>
#include <string_view>

namespace sheaf {

struct CaptureRule {
  /// Root-relative, without a leading '/'. "x/**" is everything below x but not x; otherwise fnmatch(3) with
  /// FNM_PATHNAME, so that '*' does not cross a '/'.
  std::string path;
  /// One of k_capture_classes.
  std::string kind;
  std::string reason;
  /// Only symbolic links with this target; empty: whatever lies there.
  std::string target = {};
  bool operator==(const CaptureRule&) const = default;
};

/// "log" takes files and leaves directories and links; "identity" is made anew at first start; "keep" is no part of any
/// other row.
inline constexpr std::array<std::string_view, 8> k_capture_classes = {"log",       "cache",   "backup",   "lock",
                                                                      "temporary", "runtime", "identity", "keep"};

} // namespace sheaf
