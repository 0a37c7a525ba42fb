// SPDX-License-Identifier: Apache-2.0
#include "archive/gzip_stream.hpp"

#include "archive/block_stream.hpp"

#include <fmt/format.h>

#include <zlib.h>

#include <cstdint>
#include <utility>

namespace sheaf::archive {
namespace {

constexpr int k_level = 6;
constexpr std::size_t k_block = 256U << 10U;
/// What deflate can look back.
constexpr std::size_t k_window = 32U << 10U;
constexpr int k_raw = -15;
constexpr int k_gzip = 15 + 16;
constexpr int k_memory = 8;

Bytef* bytes_of(const char* text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast): zlib's interface
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));
}

/// Deflates one block so that it ends at a byte boundary, or ends the stream.
std::optional<std::string> deflate_block(const Block& block) {
  z_stream stream{};
  if (deflateInit2(&stream, k_level, Z_DEFLATED, k_raw, k_memory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
  if (!block.before.empty() &&
      deflateSetDictionary(&stream, bytes_of(block.before.data()), static_cast<uInt>(block.before.size())) != Z_OK) {
    return std::nullopt;
  }
  constexpr std::size_t k_spare = 64;
  std::string packed(deflateBound(&stream, block.input.size()) + k_spare, '\0');
  stream.next_in = bytes_of(block.input.data());
  stream.avail_in = static_cast<uInt>(block.input.size());
  stream.next_out = bytes_of(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, block.is_last ? Z_FINISH : Z_SYNC_FLUSH);
  if (stream.avail_in > 0 || stream.avail_out == 0 || status != (block.is_last ? Z_STREAM_END : Z_OK)) {
    return std::nullopt;
  }
  packed.resize(packed.size() - stream.avail_out);
  return packed;
}

class Compressing final : public Stream {
public:
  Compressing(unsigned threads, Output to)
      : m_to(std::move(to)), m_blocks({k_block, k_window}, threads, deflate_block, m_to) {}

  Result<void> write(std::string_view bytes) override {
    SHEAF_TRY(begin());
    m_crc = crc32_z(m_crc, bytes_of(bytes.data()), bytes.size());
    m_size += bytes.size();
    return m_blocks.write(bytes);
  }

  Result<void> finish() override {
    SHEAF_TRY(begin());
    SHEAF_TRY(m_blocks.finish());
    std::string end;
    for (const auto value : {static_cast<std::uint32_t>(m_crc), static_cast<std::uint32_t>(m_size)}) {
      for (unsigned shift = 0; shift < 32; shift += 8) {
        end += static_cast<char>(value >> shift & 0xffU);
      }
    }
    return m_to(end);
  }

private:
  /// The header: no name, no time, an unknown system; nothing of where it was made.
  Result<void> begin() {
    using namespace std::string_view_literals;
    return std::exchange(m_has_begun, true) ? Result<void>() : m_to("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"sv);
  }

  Output m_to;
  BlockStream m_blocks;
  uLong m_crc = 0;
  std::uint64_t m_size = 0;
  bool m_has_begun = false;
};

class Decompressing final : public Stream {
public:
  explicit Decompressing(Output to) : m_to(std::move(to)), m_buffer(256U << 10U, '\0') {
    m_is_ready = inflateInit2(&m_stream, k_gzip) == Z_OK;
  }
  Decompressing(const Decompressing&) = delete;
  Decompressing& operator=(const Decompressing&) = delete;
  ~Decompressing() override { inflateEnd(&m_stream); }
  bool is_ready() const { return m_is_ready; }

  Result<void> write(std::string_view bytes) override {
    m_stream.next_in = bytes_of(bytes.data());
    m_stream.avail_in = static_cast<uInt>(bytes.size());
    bool is_full = false;
    while (m_stream.avail_in > 0 || is_full) {
      if (std::exchange(m_at_end, false)) {
        inflateReset(&m_stream); // the next member
      }
      m_stream.next_out = bytes_of(m_buffer.data());
      m_stream.avail_out = static_cast<uInt>(m_buffer.size());
      const int status = inflate(&m_stream, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        return Error(ErrorCode::corrupt, fmt::format("decompressing with gzip: {}",
                                                     m_stream.msg != nullptr ? m_stream.msg : "the data is damaged"));
      }
      m_at_end = status == Z_STREAM_END;
      is_full = m_stream.avail_out == 0 && !m_at_end;
      if (const auto size = m_buffer.size() - m_stream.avail_out; size > 0) {
        SHEAF_TRY(m_to({m_buffer.data(), size}));
      }
    }
    return {};
  }

  Result<void> finish() override {
    return m_at_end ? Result<void>() : Error(ErrorCode::corrupt, "decompressing with gzip: the data is cut off");
  }

private:
  Output m_to;
  std::string m_buffer;
  z_stream m_stream{};
  bool m_is_ready = false;
  bool m_at_end = false;
};

} // namespace

std::string gzip_settings() { return fmt::format("zlib {} level {} block {}", zlibVersion(), k_level, k_block); }

std::unique_ptr<Stream> gzip_compressor(unsigned threads, Output to) {
  return std::make_unique<Compressing>(threads, std::move(to));
}

Result<std::unique_ptr<Stream>> gzip_decompressor(Output to) {
  auto stream = std::make_unique<Decompressing>(std::move(to));
  if (!stream->is_ready()) {
    return Error(ErrorCode::internal, "decompressing with gzip: there is no memory for it");
  }
  return std::unique_ptr<Stream>(std::move(stream));
}

} // namespace sheaf::archive
