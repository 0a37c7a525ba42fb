// SPDX-License-Identifier: Apache-2.0
#include "join/gzip.hpp"

#include <fmt/format.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace sheaf::join {

namespace {

constexpr std::size_t k_limit = std::size_t{64} << 20U;
/// zlib reads a gzip header and trailer, with the largest window.
constexpr int k_gzip_window = 16 + MAX_WBITS;

void append_little_endian(std::string& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    bytes += static_cast<char>(value >> (8U * i) & 0xFFU);
  }
}

/// An inflating zlib stream.
class Stream {
public:
  explicit Stream(std::string_view bytes) {
    // zlib does not change its input, but its interface is older than const.
    m_stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data())); // NOLINT: see above
    m_stream.avail_in = static_cast<uInt>(bytes.size());
    m_ready = inflateInit2(&m_stream, k_gzip_window) == Z_OK;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (m_ready) {
      inflateEnd(&m_stream);
    }
  }

  bool ready() const { return m_ready; }
  std::size_t offset() const { return m_stream.total_in; }
  std::size_t left() const { return m_stream.avail_in; }
  /// Appends some output; zlib's code.
  int step(std::string& text) {
    std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by inflate
    m_stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    m_stream.avail_out = buffer.size();
    const int code = inflate(&m_stream, Z_NO_FLUSH);
    text.append(buffer.data(), buffer.size() - m_stream.avail_out);
    return code;
  }

private:
  z_stream m_stream{};
  bool m_ready = false;
};

} // namespace

Result<std::string> gunzip(std::string_view bytes) {
  if (bytes.size() > k_limit) {
    return Error(ErrorCode::unsupported, "a gzip file of more than 64 MiB");
  }
  Stream stream(bytes);
  if (!stream.ready()) {
    return Error(ErrorCode::internal, "unpacking a gzip file: out of memory");
  }
  std::string text;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    code = stream.step(text);
    if (code != Z_OK && code != Z_STREAM_END) {
      return Error(ErrorCode::corrupt, fmt::format("byte {}: no gzip file, or a damaged one", stream.offset()));
    }
    if (text.size() > k_limit) {
      return Error(ErrorCode::unsupported, "a gzip file that unpacks to more than 64 MiB");
    }
  }
  if (stream.left() != 0) {
    return Error(ErrorCode::corrupt, fmt::format("byte {}: something after the gzip file's end", stream.offset()));
  }
  return text;
}

std::string gzip_stored(std::string_view text) {
  // Deflate, no flags, no time, no extra flags, Unix.
  std::string bytes("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  auto sum = crc32(0, nullptr, 0);
  constexpr std::size_t k_largest_block = 65535;
  for (std::size_t at = 0;; at += k_largest_block) {
    const auto block = text.substr(at, k_largest_block);
    const bool last = text.size() - at <= k_largest_block;
    bytes += last ? '\1' : '\0';
    append_little_endian(bytes, block.size(), 2);
    append_little_endian(bytes, ~static_cast<std::uint64_t>(block.size()), 2);
    bytes += block;
    sum = crc32(sum, reinterpret_cast<const Bytef*>(block.data()), static_cast<uInt>(block.size()));
    if (last) {
      break;
    }
  }
  append_little_endian(bytes, sum, 4);
  append_little_endian(bytes, text.size(), 4);
  return bytes;
}

} // namespace sheaf::join
