// SPDX-License-Identifier: Apache-2.0
#pragma once

// zstd (RFC 8878) on several threads: the input is cut into blocks of fixed size, and each becomes a frame of its own.
// The library's own threads would give one frame, but Debian's static library has none.

#include "archive/stream.hpp"

namespace sheaf::archive {

/// "zstd 1.5.4 level 2 frame 4194304"
std::string zstd_settings();
std::unique_ptr<Stream> zstd_compressor(unsigned threads, Output to);
Result<std::unique_ptr<Stream>> zstd_decompressor(Output to);

} // namespace sheaf::archive
