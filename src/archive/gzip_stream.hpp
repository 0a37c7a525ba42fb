// SPDX-License-Identifier: Apache-2.0
#pragma once

// gzip (RFC 1952) on several threads: the input is cut into blocks of fixed size, and each is a member of its own.
// libdeflate packs, zlib, which can stream, unpacks.

#include "archive/stream.hpp"

namespace sheaf::archive {

/// "libdeflate 1.14 level 4 block 1048576"
std::string gzip_settings();
std::unique_ptr<Stream> gzip_compressor(unsigned threads, Output to);
Result<std::unique_ptr<Stream>> gzip_decompressor(Output to);

} // namespace sheaf::archive
