// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compares two root file systems path by path and says of each difference what it means: type, mode, owner, content,
// link target, attributes, hard links. Times are not compared: capture clamps those of layers, and a build that was
// never captured has its own (docs/concepts/equivalence.md).

#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::layer {

/// Worst last. Only `differs` is unexplained.
enum class DifferenceClass {
  noise,      ///< capture drops it: a log, a cache, a lock (layer/capture_rules.hpp)
  identity,   ///< names one machine; made at first start
  order_only, ///< a shared database with the same lines in another order, which means nothing in that file
  same_facts, ///< the same records by the meaning of the file, written differently
  known,      ///< on the published list of exceptions
  differs,
};
std::string_view to_string(DifferenceClass kind);
bool is_explained(DifferenceClass kind);

/// An entry of the published list: paths of which something may differ, and why no join can do better.
struct KnownException {
  /// What may differ.
  enum class Of {
    contents,  ///< those of a file that is there on both sides may differ
    existence, ///< a file or directory may be there on one side only
    file,      ///< a file may be there on one side only, and its contents may differ
  };
  /// In the language of base/path_pattern.hpp.
  std::span<const std::string_view> patterns;
  Of of = Of::file;
  std::string_view reason;
};
std::span<const KnownException> known_exceptions();

struct Difference {
  /// Root-relative; "." is the root.
  std::string path;
  DifferenceClass kind = DifferenceClass::differs;
  /// What differs: "contents", "mode 0644 / 0600", "only in the first".
  std::string what;
  /// Why it may; empty if it may not.
  std::string reason;
  /// Of contents: where they part, with both lines of a text.
  std::string detail;
};

struct Comparison {
  /// Paths that are in at least one of the two, without what lies in a directory of noise.
  std::size_t paths = 0;
  /// Of them, files on both sides whose contents had to be read.
  std::size_t files_read = 0;
  /// In the order of the walk: by name, a directory before what is in it.
  std::vector<Difference> differences;
};

/// Do two texts of the shared file at `path` hold the same records? False for a path that is no shared database: only
/// of those is it known that the order of their records means nothing. May be empty.
using SameFacts = std::function<bool(const std::string& path, const std::string& first, const std::string& second)>;

struct CompareOptions {
  /// How the two are called in `what`.
  std::string first = "first";
  std::string second = "second";
  SameFacts same_facts;
};

/// Compares what lies below two directories. A file that is the same inode in both, as the same lower layer gives it to
/// two overlay mounts, is not read; both must lie on one file system then, which overlayfs's inode numbers tell apart.
Result<Comparison> compare(const os::Fd& first, const os::Fd& second, const CompareOptions& options);

/// Where two texts or byte strings part: "line 3: 'a' / 'b'", or "byte 17" if one is not text.
std::string first_difference(std::string_view first, std::string_view second);
/// True for two texts of the same lines in another order; false for equal texts and for bytes that are no text.
bool same_lines(std::string_view first, std::string_view second);

} // namespace sheaf::layer
