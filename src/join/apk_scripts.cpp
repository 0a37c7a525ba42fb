// SPDX-License-Identifier: Apache-2.0
#include "join/apk_scripts.hpp"

#include "base/text.hpp"
#include "join/gzip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace sheaf::join {

namespace {

constexpr std::size_t k_block = 512;

/// A field of a member's header. Source: POSIX pax, ustar interchange format.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field k_name{0, 100};
constexpr Field k_size{124, 12};
constexpr Field k_time{136, 12};
constexpr Field k_checksum{148, 8};
constexpr Field k_type{156, 1};
constexpr Field k_magic{257, 5};
constexpr Field k_prefix{345, 155};

std::string_view field(std::string_view header, Field which) { return header.substr(which.at, which.size); }

/// Up to the first NUL.
std::string_view text_field(std::string_view header, Field which) {
  const auto bytes = field(header, which);
  return bytes.substr(0, bytes.find('\0'));
}

std::optional<std::uint64_t> octal_field(std::string_view header, Field which) {
  auto digits = trim(text_field(header, which));
  return to_number<std::uint64_t>(digits, 8);
}

/// The sum of the header's bytes, those of the checksum counted as blanks.
std::uint64_t checksum_of(std::string_view header) {
  const auto sum = [](std::string_view bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0},
                           [](std::uint64_t total, char c) { return total + static_cast<unsigned char>(c); });
  };
  return sum(header) - sum(field(header, k_checksum)) + k_checksum.size * ' ';
}

void remove_time(std::string& member, std::size_t header_at) {
  member.replace(header_at + k_time.at, k_time.size, std::string(k_time.size - 1, '0') + '\0');
  const auto sum = checksum_of(std::string_view(member).substr(header_at, k_block));
  member.replace(header_at + k_checksum.at, k_checksum.size, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
}

bool is_compressed(std::string_view file) { return file.ends_with(".gz"); }

bool is_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

/// Takes one archive apart.
class Reader {
public:
  Reader(std::string_view file, std::string_view archive) : m_file(file), m_archive(archive) {}

  Result<Records> read() {
    Records records;
    while (m_at < m_archive.size()) {
      if (m_archive.size() - m_at < k_block) {
        return corrupt("the archive ends inside a header");
      }
      if (is_zero(header())) {
        if (!is_zero(m_archive.substr(m_at))) {
          return corrupt("there is something after the end of the archive");
        }
        break;
      }
      SHEAF_TRY_ASSIGN(auto record, read_member());
      records.push_back(std::move(record));
    }
    number_repeated_keys(records);
    return records;
  }

private:
  std::string_view header() const { return m_archive.substr(m_at, k_block); }
  Error corrupt(std::string_view what) const {
    return {ErrorCode::corrupt, fmt::format("'/{}': byte {}: {}", m_file, m_at, what)};
  }

  Result<Record> read_member() {
    const auto start = m_at;
    std::optional<std::string> long_name;
    SHEAF_TRY_ASSIGN(auto type, check_header());
    if (type == 'L') {
      SHEAF_TRY_ASSIGN(const auto data, take_data());
      long_name = std::string(data.substr(0, data.find('\0')));
      SHEAF_TRY_ASSIGN(type, check_header());
    }
    if (type != '0' && type != '\0') {
      return Error(ErrorCode::unsupported, fmt::format("'/{}': byte {}: a member that is no file", m_file, m_at));
    }
    const auto prefix = field(header(), k_magic) == "ustar" && !header().substr(k_magic.at + 5).starts_with(' ')
                            ? text_field(header(), k_prefix)
                            : std::string_view();
    auto name = long_name.value_or(prefix.empty() ? std::string(text_field(header(), k_name))
                                                  : fmt::format("{}/{}", prefix, text_field(header(), k_name)));
    if (name.empty() || std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' '; })) {
      return corrupt("a member without a proper name");
    }
    const auto header_at = m_at - start;
    SHEAF_TRY(take_data());
    std::string member(m_archive.substr(start, m_at - start));
    if (header_at != 0) {
      remove_time(member, 0);
    }
    remove_time(member, header_at);
    return Record{std::move(name), std::move(member)};
  }

  /// The type of the member whose header is next.
  Result<char> check_header() const {
    if (m_archive.size() - m_at < k_block) {
      return corrupt("the archive ends inside a header");
    }
    if (octal_field(header(), k_checksum) != checksum_of(header())) {
      return corrupt("a header with a wrong checksum");
    }
    return header()[k_type.at];
  }

  /// Steps over a header and its data, and gives the data.
  Result<std::string_view> take_data() {
    const auto size = octal_field(header(), k_size);
    const auto left = m_archive.size() - m_at - k_block;
    // Compared before it is rounded up, so that a huge size cannot wrap around.
    if (!size || *size > left || (*size + k_block - 1) / k_block * k_block > left) {
      return corrupt("a member that is longer than the archive");
    }
    const auto data = m_archive.substr(m_at + k_block, *size);
    m_at += k_block + (*size + k_block - 1) / k_block * k_block;
    return data;
  }

  std::string_view m_file;
  std::string_view m_archive;
  std::size_t m_at = 0;
};

} // namespace

bool ApkScripts::owns(std::string_view file) const {
  return std::find(k_apk_scripts_files.begin(), k_apk_scripts_files.end(), file) != k_apk_scripts_files.end();
}

Result<Records> ApkScripts::parse(std::string_view file, std::string_view text) const {
  if (!is_compressed(file) || text.empty()) {
    return Reader(file, text).read();
  }
  SHEAF_TRY_ASSIGN(const auto archive, gunzip(text).context(fmt::format("'/{}'", file)));
  return Reader(file, archive).read();
}

Result<std::string> ApkScripts::print(std::string_view file, const Records& records) const {
  std::string text;
  for (const auto& record : records) {
    text += record.value;
  }
  // The end of an archive is two empty blocks.
  text.append(2 * k_block, '\0');
  return is_compressed(file) ? gzip_stored(text) : text;
}

} // namespace sheaf::join
