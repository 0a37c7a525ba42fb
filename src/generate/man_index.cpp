// SPDX-License-Identifier: Apache-2.0
#include "generate/man_index.hpp"

#include "base/text.hpp"

#include <cstdint>
#include <set>
#include <type_traits>

namespace sheaf::generate {
namespace {

constexpr std::uint32_t k_magic = 0x13579acf;
// Of the header: magic, block size, directory (offset, bytes, bits), bucket size, elements per bucket, next block.
constexpr std::uint64_t k_directory = 8;
constexpr std::uint64_t k_directory_bytes = 16;
constexpr std::uint64_t k_bucket_bytes = 24;
constexpr std::uint64_t k_bucket_elements = 28;
// Of a bucket: a list of free places, then the elements.
constexpr std::uint64_t k_elements = 112;
// Of an element: hash, the key's first bytes, place, length of the key and of the data.
constexpr std::uint64_t k_element_bytes = 24;
constexpr std::uint64_t k_place = 8;
constexpr std::uint64_t k_key_length = 16;
constexpr std::uint64_t k_data_length = 20;
constexpr std::uint32_t k_empty = 0xffffffff;

Error corrupt() { return {ErrorCode::corrupt, "not an index of manual pages"}; }

/// A file whose parts must not overlap: so no more is read than it has bytes.
class Index {
public:
  explicit Index(std::string_view bytes) : m_bytes(bytes), m_left(bytes.size()) {}

  Result<std::map<std::string, std::string>> read() {
    SHEAF_TRY_ASSIGN(const auto magic, number<std::uint32_t>(0));
    SHEAF_TRY_ASSIGN(const auto directory, number<std::uint64_t>(k_directory));
    SHEAF_TRY_ASSIGN(const auto directory_bytes, number<std::uint32_t>(k_directory_bytes));
    SHEAF_TRY_ASSIGN(m_bucket_bytes, number<std::uint32_t>(k_bucket_bytes));
    SHEAF_TRY_ASSIGN(m_bucket_elements, number<std::uint32_t>(k_bucket_elements));
    if (magic != k_magic || m_bucket_bytes < k_elements + k_element_bytes * m_bucket_elements) {
      return corrupt();
    }
    std::set<std::uint64_t> seen; // several entries of the directory may share a bucket
    for (std::uint64_t at = 0; at < directory_bytes; at += sizeof(std::uint64_t)) {
      SHEAF_TRY_ASSIGN(const auto bucket, number<std::uint64_t>(directory, at));
      if (seen.insert(bucket).second) {
        SHEAF_TRY(read_bucket(bucket));
      }
    }
    return std::move(m_records);
  }

private:
  /// `offset` bytes after `start`, the least significant byte first.
  template <class T>
  Result<T> number(std::uint64_t start, std::uint64_t offset = 0) const {
    static_assert(std::is_unsigned_v<T>);
    if (start > m_bytes.size() || offset > m_bytes.size() - start || m_bytes.size() - start - offset < sizeof(T)) {
      return corrupt();
    }
    T value = 0;
    for (auto i = sizeof(T); i-- > 0;) {
      value = static_cast<T>(value << 8U) | static_cast<unsigned char>(m_bytes[start + offset + i]);
    }
    return value;
  }

  Result<void> take(std::uint64_t bytes) {
    if (bytes > m_left) {
      return corrupt();
    }
    m_left -= bytes;
    return {};
  }

  Result<void> read_bucket(std::uint64_t bucket) {
    SHEAF_TRY(take(m_bucket_bytes));
    for (std::uint64_t i = 0; i < m_bucket_elements; ++i) {
      const auto at = k_elements + i * k_element_bytes;
      SHEAF_TRY_ASSIGN(const auto hash, number<std::uint32_t>(bucket, at));
      if (hash == k_empty) {
        continue;
      }
      SHEAF_TRY_ASSIGN(const auto place, number<std::uint64_t>(bucket, at + k_place));
      SHEAF_TRY_ASSIGN(const std::uint64_t key, number<std::uint32_t>(bucket, at + k_key_length));
      SHEAF_TRY_ASSIGN(const std::uint64_t data, number<std::uint32_t>(bucket, at + k_data_length));
      SHEAF_TRY(take(key + data));
      if (place > m_bytes.size() || m_bytes.size() - place < key + data) {
        return corrupt();
      }
      m_records.emplace(m_bytes.substr(place, key), m_bytes.substr(place + key, data));
    }
    return {};
  }

  std::string_view m_bytes;
  /// Bytes that no bucket and no record has claimed yet.
  std::uint64_t m_left;
  std::uint64_t m_bucket_bytes = 0;
  std::uint64_t m_bucket_elements = 0;
  std::map<std::string, std::string> m_records;
};

/// The data of a page without the time of its file, which are the fourth and the fifth field; that of a name with pages
/// in several sections is a list, which begins with an empty field, and stays.
std::string without_time(const std::string& data) {
  constexpr std::size_t k_seconds = 3;
  constexpr std::size_t k_nanoseconds = 4;
  auto fields = split(data, '\t');
  if (fields.size() > k_nanoseconds && !fields[0].empty()) {
    fields[k_seconds] = fields[k_nanoseconds] = "";
  }
  std::string text;
  for (const auto field : fields) {
    text.append(field).append("\t");
  }
  return text;
}

} // namespace

Result<std::map<std::string, std::string>> parse_man_index(std::string_view bytes) { return Index(bytes).read(); }

bool same_pages(std::string_view first, std::string_view second) {
  auto one = parse_man_index(first);
  auto two = parse_man_index(second);
  if (!one || !two) {
    return false;
  }
  for (auto* records : {&*one, &*two}) {
    for (auto& [key, data] : *records) {
      data = without_time(data);
    }
  }
  return *one == *two;
}

} // namespace sheaf::generate
