// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_header.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::join {

namespace {

/// Types of entries. Source: rpm, include/rpm/rpmtag.h.
enum class Type : std::uint32_t {
  character = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  string = 6,
  binary = 7,
  string_array = 8,
  translated = 9,
};

constexpr std::size_t k_preamble = 8;
constexpr std::size_t k_index_entry = 16;
/// rpm's own limits: more is an attack or damage.
constexpr std::uint32_t k_max_entries = 0xFFFF;
constexpr std::uint32_t k_max_data = 256U << 20U;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

Error corrupt(std::size_t offset, std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("package header: byte {}: {}", offset, what)};
}

/// Bytes of `count` strings that end in NUL, or nothing if `data` ends before they do.
std::optional<std::size_t> strings_size(std::string_view data, std::uint32_t count) {
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto end = data.find('\0', at);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    at = end + 1;
  }
  return at;
}

/// Bytes of an entry's data, or nothing if `data` is too short for it.
std::optional<std::size_t> size_of(Type type, std::string_view data, std::uint32_t count) {
  const auto fixed = [&](std::size_t width) -> std::optional<std::size_t> {
    const auto size = width * count;
    return size <= data.size() ? std::optional(size) : std::nullopt;
  };
  switch (type) {
  case Type::character:
  case Type::int8:
  case Type::binary:
    return fixed(1);
  case Type::int16:
    return fixed(2);
  case Type::int32:
    return fixed(4);
  case Type::int64:
    return fixed(8);
  case Type::string:
  case Type::string_array:
  case Type::translated:
    return strings_size(data, count);
  }
  return std::nullopt;
}

} // namespace

Result<RpmHeader> RpmHeader::parse(std::string_view blob) {
  if (blob.size() < k_preamble) {
    return corrupt(0, "shorter than its preamble");
  }
  const auto entries = big_endian(blob, 0);
  const auto data_size = big_endian(blob, 4);
  if (entries == 0 || entries > k_max_entries || data_size > k_max_data ||
      blob.size() != k_preamble + k_index_entry * entries + data_size) {
    return corrupt(0, "the size is not the one its preamble says");
  }
  RpmHeader header;
  header.m_blob = blob;
  header.m_entries.reserve(entries);
  const auto data_at = blob.size() - data_size;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto at = k_preamble + i * k_index_entry;
    const auto type = big_endian(blob, at + 4);
    const auto offset = big_endian(blob, at + 8);
    if (type < 1 || type > static_cast<std::uint32_t>(Type::translated)) {
      return Error(ErrorCode::unsupported, fmt::format("package header: byte {}: entry of unknown type {}", at, type));
    }
    if (offset > data_size) {
      return corrupt(at, "an entry lies outside");
    }
    Entry entry{big_endian(blob, at), type, data_at + offset, big_endian(blob, at + 12), 0};
    const auto size = size_of(static_cast<Type>(type), blob.substr(entry.offset), entry.count);
    if (!size || entry.count == 0) {
      return corrupt(at, "an entry lies outside");
    }
    entry.size = *size;
    header.m_entries.push_back(entry);
  }
  if (header.string(RpmTag::name).empty()) {
    return corrupt(0, "the package has no name");
  }
  return header;
}

const RpmHeader::Entry* RpmHeader::find(RpmTag tag) const {
  // From the end: what was added at installation follows the signed part and stands instead of it.
  const auto found = std::find_if(m_entries.rbegin(), m_entries.rend(),
                                  [&](const Entry& entry) { return entry.tag == static_cast<std::uint32_t>(tag); });
  return found == m_entries.rend() ? nullptr : &*found;
}

std::vector<std::string_view> RpmHeader::strings(RpmTag tag) const {
  std::vector<std::string_view> all;
  const auto* entry = find(tag);
  if (entry == nullptr || entry->type < static_cast<std::uint32_t>(Type::string) ||
      entry->type == static_cast<std::uint32_t>(Type::binary)) {
    return all;
  }
  const auto count = entry->type == static_cast<std::uint32_t>(Type::string_array) ? entry->count : 1;
  auto at = entry->offset;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto end = m_blob.find('\0', at);
    all.push_back(m_blob.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

std::vector<std::uint32_t> RpmHeader::numbers(RpmTag tag) const {
  std::vector<std::uint32_t> all;
  const auto* entry = find(tag);
  if (entry == nullptr || entry->type != static_cast<std::uint32_t>(Type::int32)) {
    return all;
  }
  for (std::size_t i = 0; i < entry->count; ++i) {
    all.push_back(big_endian(m_blob, entry->offset + 4 * i));
  }
  return all;
}

std::string_view RpmHeader::binary(RpmTag tag) const {
  const auto* entry = find(tag);
  return entry == nullptr || entry->type != static_cast<std::uint32_t>(Type::binary)
             ? std::string_view()
             : m_blob.substr(entry->offset, entry->size);
}

std::string_view RpmHeader::string(RpmTag tag) const {
  const auto all = strings(tag);
  return all.empty() ? std::string_view() : all.front();
}

std::string RpmHeader::version() const {
  const auto epoch = numbers(RpmTag::epoch);
  auto text = fmt::format("{}-{}", string(RpmTag::version), string(RpmTag::release));
  return epoch.empty() ? text : fmt::format("{}:{}", epoch.front(), text);
}

std::string RpmHeader::name_and_architecture() const {
  const auto architecture = string(RpmTag::architecture);
  return architecture.empty() ? std::string(string(RpmTag::name))
                              : fmt::format("{}.{}", string(RpmTag::name), architecture);
}

Result<std::string> normalised(std::string_view blob) {
  SHEAF_TRY_ASSIGN(const RpmHeader header, RpmHeader::parse(blob));
  const auto built = header.numbers(RpmTag::build_time);
  const auto time = built.empty() ? 0U : built.front();
  std::string copy(blob);
  for (const auto tag : {RpmTag::install_time, RpmTag::install_transaction}) {
    for (const auto& entry : header.m_entries) {
      if (entry.tag != static_cast<std::uint32_t>(tag) || entry.type != static_cast<std::uint32_t>(Type::int32)) {
        continue;
      }
      for (std::size_t i = 0; i < entry.size; ++i) {
        copy[entry.offset + i] = static_cast<char>(time >> (24U - 8U * (i % 4)) & 0xFFU);
      }
    }
  }
  // In a damaged header entries may lie on each other.
  const auto after = RpmHeader::parse(copy);
  if (!after || after->numbers(RpmTag::build_time) != built) {
    return corrupt(0, "entries overlap");
  }
  return copy;
}

} // namespace sheaf::join
