// SPDX-License-Identifier: Apache-2.0
#include "layer/inventory.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sheaf::layer {
namespace {

constexpr std::string_view k_header = "sheaf-inventory 1\n";
constexpr std::string_view k_types = "fdlcbpw";
/// type, mode, uid, gid, mtime, size, digest, target, attributes
constexpr std::size_t k_fields = 9;

Error corrupt(std::string_view what) { return {ErrorCode::corrupt, fmt::format("reading an inventory: {}", what)}; }

/// As escape_path, and without the two characters that separate attributes.
std::string escape_name(std::string_view name) {
  std::string text;
  for (const char c : escape_path(name)) {
    text += c == '=' || c == ',' ? fmt::format("\\{:03o}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return text;
}

std::string attributes_text(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) {
    text += fmt::format("{}{}=", text.empty() ? "" : ",", escape_name(name));
    for (const char byte : value) {
      text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return text.empty() ? "-" : text;
}

Result<std::string> unescape(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      path += text[i];
      continue;
    }
    const auto byte = i + 3 < text.size() ? to_number<unsigned>(text.substr(i + 1, 3), 8) : std::nullopt;
    if (!byte || *byte > 255) {
      return corrupt("bad escape");
    }
    path += static_cast<char>(*byte);
    i += 3;
  }
  return path;
}

Result<std::map<std::string, std::string>> parse_attributes(std::string_view text) {
  std::map<std::string, std::string> attributes;
  if (text == "-") {
    return attributes;
  }
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || (part.size() - equals) % 2 == 0) {
      return corrupt("bad attribute");
    }
    std::string value;
    for (std::size_t i = equals + 1; i < part.size(); i += 2) {
      const auto byte = to_number<unsigned>(part.substr(i, 2), 16);
      if (!byte) {
        return corrupt("bad attribute value");
      }
      value += static_cast<char>(*byte);
    }
    SHEAF_TRY_ASSIGN(auto name, unescape(part.substr(0, equals)));
    if (escape_name(name) != part.substr(0, equals)) {
      return corrupt("an attribute's name is not escaped as it should be");
    }
    attributes.emplace(std::move(name), std::move(value));
  }
  return attributes;
}

void append_entry(std::string& text, const Entry& entry) {
  const auto target =
      entry.target.empty() ? std::string("-") : (entry.is_hard_link ? "=" : ">") + escape_path(entry.target);
  text += fmt::format("{}\t{:04o}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", static_cast<char>(entry.type), entry.mode,
                      entry.uid, entry.gid, entry.mtime, entry.size, entry.digest ? entry.digest->hex() : "-", target,
                      attributes_text(entry.attributes), escape_path(entry.path));
}

} // namespace

std::uint64_t Inventory::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto& entry : entries) {
    total += entry.is_hard_link ? 0 : entry.size;
  }
  return total;
}

std::string escape_path(std::string_view path) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) >= 32 && c != '\\' && c != 127; };
  if (std::ranges::all_of(path, plain)) {
    return std::string(path);
  }
  std::string text;
  for (const char c : path) {
    text += plain(c) ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return text;
}

Result<std::string> unescape_path(std::string_view text) {
  SHEAF_TRY_ASSIGN(auto path, unescape(text));
  return escape_path(path) == text ? Result<std::string>(std::move(path)) // one path has one text
                                   : corrupt("a path is not escaped as it should be");
}

std::string serialise(const Inventory& inventory) {
  std::string text(k_header);
  text.reserve(inventory.entries.size() * 160);
  for (const auto& entry : inventory.entries) {
    append_entry(text, entry);
  }
  return text;
}

Result<std::vector<InventoryLine>> split_inventory(std::string_view text) {
  if (!text.starts_with(k_header)) {
    return corrupt("unknown header");
  }
  text.remove_prefix(k_header.size());
  std::vector<InventoryLine> lines;
  lines.reserve(text.size() / 150);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto tab = line.rfind('\t');
    if (end == std::string_view::npos || tab == std::string_view::npos ||
        k_types.find(line[0]) == std::string_view::npos) {
      return corrupt(fmt::format("line {}", lines.size() + 2));
    }
    lines.push_back({line.substr(tab + 1), static_cast<EntryType>(line[0]), line.substr(0, tab)});
    text.remove_prefix(end + 1);
  }
  return lines;
}

namespace {

Result<InventoryLine> split_line(std::string_view line) {
  const auto tab = line.rfind('\t');
  if (tab == std::string_view::npos || k_types.find(line[0]) == std::string_view::npos) {
    return corrupt("not a line");
  }
  return InventoryLine{line.substr(tab + 1), static_cast<EntryType>(line[0]), line.substr(0, tab)};
}

/// The line that holds the byte at `place`, without its newline.
std::string_view line_around(std::string_view text, std::size_t place) {
  const auto before = place == 0 ? std::string_view::npos : text.rfind('\n', place - 1);
  const auto start = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(start, text.find('\n', place) - start);
}

/// Passes on the lines alone.
Result<std::string_view> without_header(std::string_view text) {
  if (!text.starts_with(k_header) || !text.ends_with('\n')) {
    return corrupt("unknown header, or cut off");
  }
  return text.substr(k_header.size());
}

/// Where the first line begins whose path is not smaller than `path`.
Result<std::size_t> lower_bound(std::string_view lines, std::string_view path) {
  std::size_t low = 0; // a line's start: all lines before it have smaller paths
  std::size_t high = lines.size();
  while (low < high) {
    const auto raw = line_around(lines, low + (high - low) / 2);
    SHEAF_TRY_ASSIGN(const auto line, split_line(raw));
    const auto start = static_cast<std::size_t>(raw.data() - lines.data());
    if (line.path < path) {
      low = start + raw.size() + 1;
    } else {
      high = start;
    }
  }
  return low;
}

} // namespace

Result<std::optional<InventoryLine>> line_of(std::string_view text, std::string_view path) {
  SHEAF_TRY_ASSIGN(const auto lines, without_header(text));
  SHEAF_TRY_ASSIGN(const auto place, lower_bound(lines, path));
  if (place == lines.size()) {
    return std::optional<InventoryLine>();
  }
  SHEAF_TRY_ASSIGN(const auto line, split_line(line_around(lines, place)));
  return line.path == path ? std::optional(line) : std::nullopt;
}

Result<std::vector<InventoryLine>> lines_with_prefix(std::string_view text, std::string_view prefix) {
  SHEAF_TRY_ASSIGN(const auto all, without_header(text));
  SHEAF_TRY_ASSIGN(auto place, lower_bound(all, prefix));
  std::vector<InventoryLine> lines;
  while (place < all.size()) {
    const auto raw = line_around(all, place);
    SHEAF_TRY_ASSIGN(const auto line, split_line(raw));
    if (!line.path.starts_with(prefix)) {
      break;
    }
    lines.push_back(line);
    place += raw.size() + 1;
  }
  return lines;
}

Result<Entry> decode(const InventoryLine& line) {
  const auto fields = split(line.attributes, '\t');
  if (fields.size() != k_fields || fields[7].empty()) {
    return corrupt("wrong number of fields");
  }
  Entry entry;
  entry.type = line.type;
  const auto mode = to_number<unsigned>(fields[1], 8);
  const auto uid = to_number<unsigned>(fields[2]);
  const auto gid = to_number<unsigned>(fields[3]);
  const auto mtime = to_number<std::int64_t>(fields[4]);
  const auto size = to_number<std::uint64_t>(fields[5]);
  if (!mode || !uid || !gid || !mtime || !size) {
    return corrupt("bad number");
  }
  entry.mode = *mode;
  entry.uid = *uid;
  entry.gid = *gid;
  entry.mtime = *mtime;
  entry.size = *size;
  if (fields[6] != "-") {
    const auto digest = Digest::parse(fields[6]);
    if (!digest) {
      return corrupt("bad digest");
    }
    entry.digest = *digest;
  }
  entry.is_hard_link = fields[7].starts_with('=');
  if (fields[7] != "-") {
    SHEAF_TRY_ASSIGN(entry.target, unescape_path(fields[7].substr(1)));
  }
  SHEAF_TRY_ASSIGN(entry.attributes, parse_attributes(fields[8]));
  SHEAF_TRY_ASSIGN(entry.path, unescape_path(line.path));
  return entry;
}

Result<Inventory> parse_inventory(std::string_view text) {
  SHEAF_TRY_ASSIGN(const auto lines, split_inventory(text));
  Inventory inventory;
  inventory.entries.reserve(lines.size());
  for (const auto& line : lines) {
    SHEAF_TRY_ASSIGN(auto entry, decode(line).context(fmt::format("line {}", inventory.entries.size() + 2)));
    inventory.entries.push_back(std::move(entry));
  }
  return inventory;
}

} // namespace sheaf::layer
