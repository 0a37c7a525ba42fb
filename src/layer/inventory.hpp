// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sorted list of a layer's tree. Its text is canonical (docs/formats/inventory.md): equal trees give equal bytes,
// so its digest stands for the tree, and two lines can be compared without being parsed.

#include "base/digest.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::layer {

/// The letter is the one in the text.
enum class EntryType : char {
  file = 'f',
  directory = 'd',
  symlink = 'l',
  character_device = 'c',
  block_device = 'b',
  fifo = 'p',
  whiteout = 'w', ///< the layer deletes this path of what is below
};

struct Entry {
  /// Relative to the root, no leading slash, no "..".
  std::string path;
  EntryType type = EntryType::file;
  /// Permission bits, setuid, setgid and sticky included.
  unsigned mode = 0;
  unsigned uid = 0;
  unsigned gid = 0;
  /// Seconds since 1970.
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
  /// Of regular files.
  std::optional<Digest> digest;
  /// The text of a symlink, the first path of a hard link's group, "major:minor" of a device.
  std::string target;
  /// True for the second and later names of one inode; `target` is the first name.
  bool is_hard_link = false;
  std::map<std::string, std::string> attributes;
};

struct Inventory {
  /// Sorted by the escaped path, bytewise.
  std::vector<Entry> entries;
  std::uint64_t total_bytes() const;
};

/// Escapes backslash, tab, newline and other control bytes as \ooo.
std::string escape_path(std::string_view path);
Result<std::string> unescape_path(std::string_view text);

std::string serialise(const Inventory& inventory);
/// `corrupt` with the line number.
Result<Inventory> parse_inventory(std::string_view text);

/// One line of an inventory, split but not decoded: for comparing many lines fast. Views point into the text.
struct InventoryLine {
  /// Escaped.
  std::string_view path;
  EntryType type = EntryType::file;
  /// Everything of the line that is not the path: equal attributes mean an equal entry.
  std::string_view attributes;
};
/// `corrupt` if the text is not an inventory.
Result<std::vector<InventoryLine>> split_inventory(std::string_view text);
/// The line of an escaped path in an inventory's text, if it has one; costs as `lines_with_prefix`.
Result<std::optional<InventoryLine>> line_of(std::string_view text, std::string_view path);
/// The lines of an inventory's text whose escaped path begins with `prefix`, in order. Searches, so that it costs
/// little in a long text; `corrupt` where it looked and found no line.
Result<std::vector<InventoryLine>> lines_with_prefix(std::string_view text, std::string_view prefix);
/// Decodes one line.
Result<Entry> decode(const InventoryLine& line);

} // namespace sheaf::layer
