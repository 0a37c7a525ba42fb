// SPDX-License-Identifier: Apache-2.0
#include "archive/gzip_stream.hpp"

#include <fmt/format.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <future>

namespace sheaf::archive {
namespace {

constexpr int k_level = 6;
constexpr std::size_t k_block = 256U << 10U;
/// What deflate can look back.
constexpr std::size_t k_window = 32U << 10U;
constexpr int k_raw = -15;
constexpr int k_gzip = 15 + 16;
constexpr int k_memory = 8;
constexpr unsigned k_most_threads = 64;

Bytef* bytes_of(const char* text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast): zlib's interface
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));
}

struct Block {
  std::string packed;
  bool is_good = false;
};

/// Deflates one block so that it ends at a byte boundary, or ends the stream.
Block deflate_block(const std::string& input, const std::string& dictionary, int flush) {
  Block block;
  z_stream stream{};
  if (deflateInit2(&stream, k_level, Z_DEFLATED, k_raw, k_memory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return block;
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
  if (!dictionary.empty() &&
      deflateSetDictionary(&stream, bytes_of(dictionary.data()), static_cast<uInt>(dictionary.size())) != Z_OK) {
    return block;
  }
  constexpr std::size_t k_spare = 64;
  block.packed.resize(deflateBound(&stream, input.size()) + k_spare);
  stream.next_in = bytes_of(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = bytes_of(block.packed.data());
  stream.avail_out = static_cast<uInt>(block.packed.size());
  const int status = deflate(&stream, flush);
  block.is_good = stream.avail_in == 0 && stream.avail_out > 0 && status == (flush == Z_FINISH ? Z_STREAM_END : Z_OK);
  block.packed.resize(block.packed.size() - stream.avail_out);
  return block;
}

class Compressing final : public Stream {
public:
  Compressing(unsigned threads, Output to) : m_most(std::clamp(threads, 1U, k_most_threads)), m_to(std::move(to)) {}

  Result<void> write(std::string_view bytes) override {
    m_crc = crc32_z(m_crc, bytes_of(bytes.data()), bytes.size());
    m_size += bytes.size();
    while (!bytes.empty()) {
      // The last block must end the stream, so a full one waits until more comes.
      if (m_input.size() == k_block) {
        SHEAF_TRY(start(Z_SYNC_FLUSH));
      }
      const auto part = bytes.substr(0, k_block - m_input.size());
      m_input += part;
      bytes.remove_prefix(part.size());
    }
    return {};
  }

  Result<void> finish() override {
    SHEAF_TRY(start(Z_FINISH));
    while (!m_running.empty()) {
      SHEAF_TRY(take());
    }
    std::string end;
    for (const auto value : {static_cast<std::uint32_t>(m_crc), static_cast<std::uint32_t>(m_size)}) {
      for (unsigned shift = 0; shift < 32; shift += 8) {
        end += static_cast<char>(value >> shift & 0xffU);
      }
    }
    return m_to(end);
  }

private:
  Result<void> start(int flush) {
    if (!std::exchange(m_has_begun, true)) {
      // No name, no time, an unknown system: nothing of where it was made.
      using namespace std::string_view_literals;
      SHEAF_TRY(m_to("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"sv));
    }
    while (m_running.size() >= m_most) {
      SHEAF_TRY(take());
    }
    auto dictionary = m_input.size() >= k_window ? m_input.substr(m_input.size() - k_window) : std::string();
    std::swap(dictionary, m_dictionary);
    // Without a thread to spare it runs when it is taken.
    m_running.push_back(std::async(std::launch::async | std::launch::deferred,
                                   [input = std::exchange(m_input, {}), dictionary = std::move(dictionary), flush] {
                                     return deflate_block(input, dictionary, flush);
                                   }));
    m_input.reserve(k_block);
    return {};
  }

  /// Writes the oldest block when it is ready.
  Result<void> take() {
    const auto block = m_running.front().get();
    m_running.pop_front();
    if (!block.is_good) {
      return Error(ErrorCode::internal, "compressing with zlib failed: there may be no memory for it");
    }
    return m_to(block.packed);
  }

  std::size_t m_most;
  Output m_to;
  std::string m_input;
  /// The end of the block before.
  std::string m_dictionary;
  std::deque<std::future<Block>> m_running;
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
