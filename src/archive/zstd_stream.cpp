// SPDX-License-Identifier: Apache-2.0
#include "archive/zstd_stream.hpp"

#include <fmt/format.h>

#include <zstd.h>

#include <algorithm>
#include <utility>

namespace sheaf::archive {
namespace {

constexpr int k_level = 3;
constexpr int k_job_size = 4 << 20;
constexpr int k_overlap = 6;
constexpr int k_most_threads = 64;

class Compressing final : public Stream {
public:
  explicit Compressing(Output to) : m_to(std::move(to)), m_buffer(ZSTD_CStreamOutSize(), '\0') {}

  Result<void> prepare(unsigned threads) {
    const auto workers = std::clamp(static_cast<int>(threads), 1, k_most_threads);
    for (const auto& [parameter, value] :
         {std::pair(ZSTD_c_compressionLevel, k_level), std::pair(ZSTD_c_nbWorkers, workers),
          std::pair(ZSTD_c_jobSize, k_job_size), std::pair(ZSTD_c_overlapLog, k_overlap),
          std::pair(ZSTD_c_checksumFlag, 0)}) {
      SHEAF_TRY(check(ZSTD_CCtx_setParameter(m_context.get(), parameter, value)));
    }
    return {};
  }

  Result<void> write(std::string_view bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size) {
      SHEAF_TRY(step(in, ZSTD_e_continue));
    }
    return {};
  }

  Result<void> finish() override {
    // The end is said without input: the library takes other parameters where it knows the size beforehand.
    ZSTD_inBuffer in{nullptr, 0, 0};
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto left, step(in, ZSTD_e_end));
      if (left == 0) {
        return {};
      }
    }
  }

private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  static Result<void> check(std::size_t code) {
    if (ZSTD_isError(code) != 0) {
      return Error(ErrorCode::internal, fmt::format("compressing with zstd: {}", ZSTD_getErrorName(code)));
    }
    return {};
  }

  Result<std::size_t> step(ZSTD_inBuffer& in, ZSTD_EndDirective what) {
    ZSTD_outBuffer out{m_buffer.data(), m_buffer.size(), 0};
    const auto left = ZSTD_compressStream2(m_context.get(), &out, &in, what);
    SHEAF_TRY(check(left));
    if (out.pos > 0) {
      SHEAF_TRY(m_to({m_buffer.data(), out.pos}));
    }
    return left;
  }

  Output m_to;
  std::string m_buffer;
  std::unique_ptr<ZSTD_CCtx, Free> m_context{ZSTD_createCCtx()};
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
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  Output m_to;
  std::string m_buffer;
  std::unique_ptr<ZSTD_DCtx, Free> m_context{ZSTD_createDCtx()};
  bool m_at_frame_end = false;
};

} // namespace

std::string zstd_settings() {
  return fmt::format("zstd {} level {} job {} overlap {}", ZSTD_versionString(), k_level, k_job_size, k_overlap);
}

Result<std::unique_ptr<Stream>> zstd_compressor(unsigned threads, Output to) {
  auto stream = std::make_unique<Compressing>(std::move(to));
  SHEAF_TRY(stream->prepare(threads));
  return std::unique_ptr<Stream>(std::move(stream));
}

Result<std::unique_ptr<Stream>> zstd_decompressor(Output to) {
  auto stream = std::make_unique<Decompressing>(std::move(to));
  if (!stream->is_ready()) {
    return Error(ErrorCode::internal, "decompressing with zstd: there is no memory for it");
  }
  return std::unique_ptr<Stream>(std::move(stream));
}

} // namespace sheaf::archive
