// SPDX-License-Identifier: Apache-2.0
#include "join/ld_so_cache_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace sheaf::join {

namespace {

constexpr std::string_view k_magic = "glibc-ld.so.cache1.1";
constexpr std::string_view k_old_magic = "ld.so-1.7.0";
constexpr std::size_t k_header_size = 48;
constexpr std::size_t k_entry_size = 24;
constexpr std::size_t k_section_size = 16;
constexpr std::uint8_t k_little_endian = 2;
constexpr std::uint32_t k_extension_magic = 0xEAA42174;
constexpr std::uint32_t k_tag_generator = 0;
constexpr std::uint32_t k_tag_hwcaps = 1;
/// In an entry's hwcap: the low half is an index into the hwcaps section, bits 32 to 41 the ISA level.
constexpr std::uint64_t k_hwcap_is_subdirectory = 1ULL << 62;
constexpr std::uint64_t k_isa_mask = 0x3FF;

constexpr std::size_t align4(std::size_t size) { return (size + 3) / 4 * 4; }

Error corrupt(std::size_t offset, std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("'/etc/ld.so.cache': byte {}: {}", offset, what)};
}

class CacheReader {
public:
  explicit CacheReader(std::string_view bytes) : m_bytes(bytes) {}

  Result<LdSoCacheFile> read() {
    SHEAF_TRY(header());
    SHEAF_TRY(extensions());
    for (std::size_t i = 0; i < m_count; ++i) {
      SHEAF_TRY_ASSIGN(CachedLibrary library, entry(k_header_size + i * k_entry_size));
      m_file.libraries.push_back(std::move(library));
    }
    find_unused_strings();
    return std::move(m_file);
  }

private:
  /// The caller has checked that the number lies inside the file.
  std::uint64_t number(std::size_t offset, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(m_bytes[offset + i]);
    }
    return value;
  }
  std::uint32_t u32(std::size_t offset) const { return static_cast<std::uint32_t>(number(offset, 4)); }
  bool holds(std::uint64_t offset, std::uint64_t size) const {
    return offset <= m_bytes.size() && size <= m_bytes.size() - offset;
  }

  Result<void> header() {
    if (m_bytes.starts_with(k_old_magic)) {
      return Error(ErrorCode::unsupported, "'/etc/ld.so.cache': it is in the old format")
          .with_hint("use a base with glibc 2.33 or newer");
    }
    if (m_bytes.size() < k_header_size || !m_bytes.starts_with(k_magic)) {
      return corrupt(0, "not a cache of ldconfig");
    }
    if (number(28, 1) != k_little_endian) {
      return Error(ErrorCode::unsupported, "'/etc/ld.so.cache': it is not marked as little-endian");
    }
    m_count = u32(20);
    m_strings_begin = k_header_size + m_count * k_entry_size;
    m_strings_size = u32(24);
    if (!holds(m_strings_begin, m_strings_size)) {
      return corrupt(20, "it ends inside its tables");
    }
    return {};
  }

  Result<void> extensions() {
    const std::size_t offset = u32(32);
    if (offset == 0) {
      return Error(ErrorCode::unsupported, "'/etc/ld.so.cache': it has no extensions")
          .with_hint("use a base with glibc 2.33 or newer");
    }
    if (!holds(offset, 8) || u32(offset) != k_extension_magic || !holds(offset + 8, u32(offset + 4) * k_section_size)) {
      return corrupt(offset, "bad extensions");
    }
    for (std::size_t i = 0; i < u32(offset + 4); ++i) {
      SHEAF_TRY(section(offset + 8 + i * k_section_size));
    }
    return {};
  }

  Result<void> section(std::size_t at) {
    const std::size_t offset = u32(at + 8);
    const std::size_t size = u32(at + 12);
    if (!holds(offset, size)) {
      return corrupt(at, "bad extension section");
    }
    if (u32(at) == k_tag_generator) {
      m_file.generator = m_bytes.substr(offset, size);
      return {};
    }
    if (u32(at) != k_tag_hwcaps) {
      return Error(ErrorCode::unsupported, fmt::format("'/etc/ld.so.cache': unknown extension {}", u32(at)));
    }
    for (std::size_t i = 0; i < size / 4; ++i) {
      SHEAF_TRY_ASSIGN(std::string_view name, string(offset + 4 * i));
      m_subdirectories.push_back(name);
    }
    return {};
  }

  /// The string whose offset is stored at `at`.
  Result<std::string_view> string(std::size_t at) {
    const std::size_t offset = u32(at);
    const auto end = m_strings_begin + m_strings_size;
    if (offset < m_strings_begin || offset >= end) {
      return corrupt(at, "string outside of the string table");
    }
    const auto rest = m_bytes.substr(offset, end - offset);
    const auto length = rest.find('\0');
    if (length == std::string_view::npos) {
      return corrupt(at, "string without an end");
    }
    return *m_used.emplace(rest.substr(0, length)).first;
  }

  Result<CachedLibrary> entry(std::size_t at) {
    CachedLibrary library;
    library.flags = static_cast<std::int32_t>(u32(at));
    SHEAF_TRY_ASSIGN(library.soname, string(at + 4));
    SHEAF_TRY_ASSIGN(library.path, string(at + 8));
    library.os_version = u32(at + 12);
    library.hwcap = number(at + 16, 8);
    if ((library.hwcap & k_hwcap_is_subdirectory) != 0) {
      const auto index = library.hwcap & 0xFFFFFFFF;
      if (index >= m_subdirectories.size() || m_subdirectories[index].empty() ||
          (library.hwcap & ~(k_hwcap_is_subdirectory | k_isa_mask << 32 | 0xFFFFFFFF)) != 0) {
        return corrupt(at + 16, "unknown hardware subdirectory");
      }
      library.subdirectory = m_subdirectories[index];
      library.isa_level = static_cast<std::uint32_t>(library.hwcap >> 32 & k_isa_mask);
      library.hwcap = 0;
    }
    return library;
  }

  void find_unused_strings() {
    auto table = m_bytes.substr(m_strings_begin, m_strings_size);
    std::set<std::string_view> unused;
    while (!table.empty()) {
      const auto string = table.substr(0, table.find('\0'));
      if (!string.empty() && !m_used.contains(string)) {
        unused.insert(string);
      }
      table.remove_prefix(std::min(string.size() + 1, table.size()));
    }
    m_file.unused_strings.assign(unused.begin(), unused.end());
  }

  std::string_view m_bytes;
  std::size_t m_count = 0;
  std::size_t m_strings_begin = 0;
  std::size_t m_strings_size = 0;
  std::vector<std::string_view> m_subdirectories;
  std::unordered_set<std::string_view> m_used;
  LdSoCacheFile m_file;
};

/// ldconfig's string table: sorted by the reversed strings, descending, so that a string which ends another one comes
/// right after it and shares its bytes.
class StringTable {
public:
  explicit StringTable(std::vector<std::string_view> strings) {
    const auto backwards = [](std::string_view a, std::string_view b) {
      return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend(), [](char x, char y) {
        return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
      });
    };
    std::sort(strings.begin(), strings.end(), [&](auto a, auto b) { return backwards(b, a); });
    strings.erase(std::unique(strings.begin(), strings.end()), strings.end());
    m_offsets.reserve(strings.size());
    std::optional<std::string_view> previous;
    for (const auto string : strings) {
      if (!previous || !previous->ends_with(string)) {
        m_bytes.append(string).append(1, '\0');
      }
      m_offsets.emplace(string, static_cast<std::uint32_t>(m_bytes.size() - 1 - string.size()));
      previous = string;
    }
  }

  const std::string& bytes() const { return m_bytes; }
  std::uint32_t offset(std::string_view string) const { return m_offsets.at(string); }

private:
  std::string m_bytes;
  std::unordered_map<std::string_view, std::uint32_t> m_offsets;
};

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xFF);
  }
}

StringTable string_table(const LdSoCacheFile& file) {
  std::vector<std::string_view> strings(file.unused_strings.begin(), file.unused_strings.end());
  for (const auto& library : file.libraries) {
    strings.push_back(library.soname);
    strings.push_back(library.path);
    if (!library.subdirectory.empty()) {
      strings.push_back(library.subdirectory);
    }
  }
  return StringTable(std::move(strings));
}

void append_extensions(std::string& out, const std::vector<std::uint32_t>& subdirectories, std::string_view generator) {
  const std::size_t sections = subdirectories.empty() ? 1 : 2;
  const auto subdirectories_at = out.size() + 8 + sections * k_section_size;
  append_number(out, k_extension_magic, 4);
  append_number(out, sections, 4);
  append_number(out, k_tag_generator, 4);
  append_number(out, 0, 4);
  append_number(out, subdirectories_at + 4 * subdirectories.size(), 4);
  append_number(out, generator.size(), 4);
  if (!subdirectories.empty()) {
    append_number(out, k_tag_hwcaps, 4);
    append_number(out, 0, 4);
    append_number(out, subdirectories_at, 4);
    append_number(out, 4 * subdirectories.size(), 4);
  }
  for (const auto offset : subdirectories) {
    append_number(out, offset, 4);
  }
  out += generator;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads the number at the front, in the wrapping arithmetic of glibc's `int`.
std::int32_t take_number(std::string_view& text) {
  std::uint32_t value = 0;
  while (!text.empty() && is_digit(text.front())) {
    value = value * 10 + static_cast<std::uint32_t>(text.front() - '0');
    text.remove_prefix(1);
  }
  return static_cast<std::int32_t>(value);
}

/// As in a string that ends in NUL.
char front(std::string_view text) { return text.empty() ? '\0' : text.front(); }

/// _dl_cache_libcmp: numbers inside names compare by value, a digit comes after anything else.
int compare_sonames(std::string_view a, std::string_view b) {
  while (!a.empty()) {
    const bool digit = is_digit(front(a));
    if (digit != is_digit(front(b))) {
      return digit ? 1 : -1;
    }
    if (digit) {
      const auto x = take_number(a);
      const auto y = take_number(b);
      if (x != y) {
        return x < y ? -1 : 1;
      }
    } else if (front(a) == front(b)) {
      a.remove_prefix(1);
      b.remove_prefix(1);
    } else {
      break;
    }
  }
  const auto x = static_cast<signed char>(front(a));
  const auto y = static_cast<signed char>(front(b));
  return x == y ? 0 : (x < y ? -1 : 1);
}

/// The larger value first.
template <class T>
int descending(T a, T b) {
  return a == b ? 0 : (a > b ? -1 : 1);
}

} // namespace

Result<LdSoCacheFile> LdSoCacheFile::parse(std::string_view bytes) { return CacheReader(bytes).read(); }

std::string LdSoCacheFile::print() const {
  const auto strings = string_table(*this);
  const auto strings_begin = k_header_size + libraries.size() * k_entry_size;
  std::map<std::string_view, std::uint64_t> subdirectory_index; // sorted by name, as ldconfig numbers them
  for (const auto& library : libraries) {
    if (!library.subdirectory.empty()) {
      subdirectory_index.emplace(library.subdirectory, 0);
    }
  }
  std::vector<std::uint32_t> subdirectories;
  for (auto& [name, index] : subdirectory_index) {
    index = subdirectories.size();
    subdirectories.push_back(static_cast<std::uint32_t>(strings_begin + strings.offset(name)));
  }
  const auto extensions_begin = align4(strings_begin + strings.bytes().size());

  std::string out;
  out.reserve(extensions_begin + 64 + generator.size());
  out += k_magic;
  append_number(out, libraries.size(), 4);
  append_number(out, strings.bytes().size(), 4);
  append_number(out, k_little_endian, 4); // one byte and three of padding
  append_number(out, extensions_begin, 4);
  out.append(k_header_size - out.size(), '\0');
  for (const auto& library : libraries) {
    append_number(out, static_cast<std::uint32_t>(library.flags), 4);
    append_number(out, strings_begin + strings.offset(library.soname), 4);
    append_number(out, strings_begin + strings.offset(library.path), 4);
    append_number(out, library.os_version, 4);
    append_number(out,
                  library.subdirectory.empty() ? library.hwcap
                                               : k_hwcap_is_subdirectory | std::uint64_t{library.isa_level} << 32 |
                                                     subdirectory_index.at(library.subdirectory),
                  8);
  }
  out += strings.bytes();
  out.append(extensions_begin - out.size(), '\0');
  append_extensions(out, subdirectories, generator);
  return out;
}

int compare_libraries(const CachedLibrary& a, const CachedLibrary& b) {
  if (const int order = compare_sonames(b.soname, a.soname)) {
    return order; // descending
  }
  if (const int order = descending(a.flags, b.flags)) {
    return order;
  }
  // The loader stops at the first entry without a subdirectory, so those with one come first.
  if (const int order = descending(!a.subdirectory.empty(), !b.subdirectory.empty())) {
    return order;
  }
  if (const int order = a.subdirectory.compare(b.subdirectory)) {
    return order;
  }
  if (const int order = descending(std::popcount(a.hwcap), std::popcount(b.hwcap))) {
    return order;
  }
  const int order = descending(a.hwcap, b.hwcap);
  return order != 0 ? order : descending(a.os_version, b.os_version);
}

} // namespace sheaf::join
