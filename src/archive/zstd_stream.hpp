// SPDX-License-Identifier: Apache-2.0
#pragma once

// zstd (RFC 8878) with the library's own threads. Job size and overlap are fixed, so that the number of threads does
// not change the bytes; without a worker the library cuts otherwise, so there is always one.

#include "archive/stream.hpp"

namespace sheaf::archive {

/// "zstd 1.5.4 level 3 job 4194304 overlap 6"
std::string zstd_settings();
Result<std::unique_ptr<Stream>> zstd_compressor(unsigned threads, Output to);
Result<std::unique_ptr<Stream>> zstd_decompressor(Output to);

} // namespace sheaf::archive
