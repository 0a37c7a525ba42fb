// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compresses and decompresses streams as layers of images are packed: not at all, with gzip or with zstd. Equal input
// gives equal bytes on every machine, however many processors it has (docs/decisions/0016).

#include "base/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sheaf::archive {

enum class Packing { none, gzip, zstd };

/// Takes bytes in order.
using Output = std::function<Result<void>(std::string_view bytes)>;

/// All that decides the bytes besides the input: "sheaf-layer 1; zstd 1.5.4 level 2 …". Another text, other bytes.
std::string encoder_name(Packing packing);
/// What a stream that begins so is packed with; four bytes are enough.
Packing packing_of(std::string_view beginning);

/// `to` is called by the thread that calls `write` and `finish`.
class Compressor {
public:
  /// `threads` compress, at least one; how many does not change the bytes.
  static Result<Compressor> create(Packing packing, unsigned threads, Output to);
  Compressor(Compressor&&) noexcept;
  ~Compressor();
  Result<void> write(std::string_view bytes);
  /// Writes what is left and the end mark; nothing may follow.
  Result<void> finish();

  struct Impl;

private:
  explicit Compressor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

class Decompressor {
public:
  static Result<Decompressor> create(Packing packing, Output to);
  Decompressor(Decompressor&&) noexcept;
  ~Decompressor();
  /// `corrupt` if the bytes are not what they are said to be. Several members or frames in a row are one stream.
  Result<void> write(std::string_view bytes);
  /// `corrupt` if the stream was cut off.
  Result<void> finish();

  struct Impl;

private:
  explicit Decompressor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

} // namespace sheaf::archive
