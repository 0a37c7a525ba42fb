// SPDX-License-Identifier: Apache-2.0
#include "archive/gzip_stream.hpp"

#include "archive/block_stream.hpp"

#include <fmt/format.h>

#include <libdeflate.h>
#include <zlib.h>

#include <memory>
#include <utility>

namespace sheaf::archive {
namespace {

constexpr int k_level = 4;
constexpr std::size_t k_block = std::size_t{1} << 20U;
constexpr int k_gzip = 15 + 16;

Bytef* bytes_of(const char* text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast): zlib's interface
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));
}

/// A block as a gzip member: no name, no time, an unknown system; nothing of where it was made.
std::optional<std::string> gzip_block(std::string_view block) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(k_level), libdeflate_free_compressor);
  if (!compressor) {
    return std::nullopt;
  }
  std::string packed(libdeflate_gzip_compress_bound(compressor.get(), block.size()), '\0');
  const auto size =
      libdeflate_gzip_compress(compressor.get(), block.data(), block.size(), packed.data(), packed.size());
  if (size == 0) {
    return std::nullopt;
  }
  packed.resize(size);
  return packed;
}

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

std::string gzip_settings() {
  return fmt::format("libdeflate {} level {} block {}", LIBDEFLATE_VERSION_STRING, k_level, k_block);
}

std::unique_ptr<Stream> gzip_compressor(unsigned threads, Output to) {
  return std::make_unique<BlockStream>(k_block, threads, gzip_block, std::move(to));
}

Result<std::unique_ptr<Stream>> gzip_decompressor(Output to) {
  auto stream = std::make_unique<Decompressing>(std::move(to));
  if (!stream->is_ready()) {
    return Error(ErrorCode::internal, "decompressing with gzip: there is no memory for it");
  }
  return std::unique_ptr<Stream>(std::move(stream));
}

} // namespace sheaf::archive
