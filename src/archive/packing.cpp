// SPDX-License-Identifier: Apache-2.0
#include "archive/packing.hpp"

#include "archive/gzip_stream.hpp"
#include "archive/zstd_stream.hpp"

namespace sheaf::archive {
namespace {

class Plain final : public Stream {
public:
  explicit Plain(Output to) : m_to(std::move(to)) {}
  Result<void> write(std::string_view bytes) override { return m_to(bytes); }
  Result<void> finish() override { return {}; }

private:
  Output m_to;
};

} // namespace

struct Compressor::Impl {
  std::unique_ptr<Stream> stream;
};

struct Decompressor::Impl {
  std::unique_ptr<Stream> stream;
};

std::string encoder_name(Packing packing) {
  std::string layout = "sheaf-layer 1";
  switch (packing) {
  case Packing::gzip:
    return layout + "; " + gzip_settings();
  case Packing::zstd:
    return layout + "; " + zstd_settings();
  case Packing::none:
    break;
  }
  return layout;
}

Packing packing_of(std::string_view beginning) {
  using namespace std::string_view_literals;
  if (beginning.starts_with("\x1f\x8b"sv)) { // RFC 1952, 2.3.1
    return Packing::gzip;
  }
  return beginning.starts_with("\x28\xb5\x2f\xfd"sv) ? Packing::zstd : Packing::none; // RFC 8878, 3.1.1
}

Result<Compressor> Compressor::create(Packing packing, unsigned threads, Output to) {
  auto impl = std::make_unique<Impl>();
  if (packing == Packing::zstd) {
    impl->stream = zstd_compressor(threads, std::move(to));
  } else if (packing == Packing::gzip) {
    impl->stream = gzip_compressor(threads, std::move(to));
  } else {
    impl->stream = std::make_unique<Plain>(std::move(to));
  }
  return Compressor(std::move(impl));
}

Compressor::Compressor(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;
Result<void> Compressor::write(std::string_view bytes) { return m_impl->stream->write(bytes); }
Result<void> Compressor::finish() { return m_impl->stream->finish(); }

Result<Decompressor> Decompressor::create(Packing packing, Output to) {
  auto impl = std::make_unique<Impl>();
  if (packing == Packing::zstd) {
    SHEAF_TRY_ASSIGN(impl->stream, zstd_decompressor(std::move(to)));
  } else if (packing == Packing::gzip) {
    SHEAF_TRY_ASSIGN(impl->stream, gzip_decompressor(std::move(to)));
  } else {
    impl->stream = std::make_unique<Plain>(std::move(to));
  }
  return Decompressor(std::move(impl));
}

Decompressor::Decompressor(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;
Result<void> Decompressor::write(std::string_view bytes) { return m_impl->stream->write(bytes); }
Result<void> Decompressor::finish() { return m_impl->stream->finish(); }

} // namespace sheaf::archive
