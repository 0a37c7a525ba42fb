// SPDX-License-Identifier: Apache-2.0
#include "archive/zstd_stream.hpp"

#include "archive/block_stream.hpp"

#include <fmt/format.h>

#include <zstd.h>

#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sheaf::archive {
namespace {

constexpr int k_level = 2;
constexpr std::size_t k_frame = std::size_t{4} << 20U;

/// What a frame becomes at most.
using Packed = std::array<char, ZSTD_COMPRESSBOUND(k_frame)>;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Context = std::unique_ptr<ZSTD_CCtx, Free>;

/// Contexts to be used again: to make one costs a tenth of a frame.
class Contexts {
public:
  Context take() {
    const std::scoped_lock lock(m_mutex);
    if (m_free.empty()) {
      return Context(ZSTD_createCCtx());
    }
    auto context = std::move(m_free.back());
    m_free.pop_back();
    return context;
  }
  void give(Context context) {
    const std::scoped_lock lock(m_mutex);
    m_free.push_back(std::move(context));
  }

private:
  std::mutex m_mutex;
  std::vector<Context> m_free;
};

class Compressing final : public Stream {
public:
  Compressing(unsigned threads, Output to)
      : m_blocks(
            k_frame, threads, [this](std::string_view block) { return compress(block); }, std::move(to)) {}
  Result<void> write(std::string_view bytes) override { return m_blocks.write(bytes); }
  Result<void> finish() override { return m_blocks.finish(); }

private:
  std::optional<std::string> compress(std::string_view block) {
    auto context = m_contexts.take();
    if (!context) {
      return std::nullopt;
    }
    // Not a string yet: that would be filled, and so take memory that is not needed.
    const auto packed = std::make_unique_for_overwrite<Packed>();
    const auto size =
        ZSTD_compressCCtx(context.get(), packed->data(), packed->size(), block.data(), block.size(), k_level);
    m_contexts.give(std::move(context));
    return ZSTD_isError(size) != 0 ? std::nullopt : std::optional(std::string(packed->data(), size));
  }

  Contexts m_contexts;
  BlockStream m_blocks;
};

class Decompressing final : public Stream {
public:
  explicit Decompressing(Output to) : m_to(std::move(to)), m_buffer(2 * ZSTD_DStreamOutSize(), '\0') {}
  bool is_ready() const { return m_context != nullptr; }

  Result<void> write(std::string_view bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool is_full = false;
    while (in.pos < in.size || is_full) {
      ZSTD_outBuffer out{m_buffer.data(), m_buffer.size(), 0};
      const auto expected = ZSTD_decompressStream(m_context.get(), &out, &in);
      if (ZSTD_isError(expected) != 0) {
        return Error(ErrorCode::corrupt, fmt::format("decompressing with zstd: {}", ZSTD_getErrorName(expected)));
      }
      m_at_frame_end = expected == 0;
      // A full buffer may hide more output for input that is consumed already.
      is_full = out.pos == out.size && !m_at_frame_end;
      if (out.pos > 0) {
        SHEAF_TRY(m_to({m_buffer.data(), out.pos}));
      }
    }
    return {};
  }

  Result<void> finish() override {
    return m_at_frame_end ? Result<void>() : Error(ErrorCode::corrupt, "decompressing with zstd: the data is cut off");
  }

private:
  Output m_to;
  std::string m_buffer;
  std::unique_ptr<ZSTD_DCtx, Free> m_context{ZSTD_createDCtx()};
  bool m_at_frame_end = false;
};

} // namespace

std::string zstd_settings() { return fmt::format("zstd {} level {} frame {}", ZSTD_versionString(), k_level, k_frame); }

std::unique_ptr<Stream> zstd_compressor(unsigned threads, Output to) {
  return std::make_unique<Compressing>(threads, std::move(to));
}

Result<std::unique_ptr<Stream>> zstd_decompressor(Output to) {
  auto stream = std::make_unique<Decompressing>(std::move(to));
  if (!stream->is_ready()) {
    return Error(ErrorCode::internal, "decompressing with zstd: there is no memory for it");
  }
  return std::unique_ptr<Stream>(std::move(stream));
}

} // namespace sheaf::archive
