// SPDX-License-Identifier: Apache-2.0
#pragma once

// gzip (RFC 1952) on several threads: the input is cut into blocks of fixed size, each deflated on its own with the end
// of the one before as its dictionary, and joined at byte boundaries into one member.

#include "archive/stream.hpp"

namespace sheaf::archive {

/// "zlib 1.2.13 level 6 block 262144"
std::string gzip_settings();
std::unique_ptr<Stream> gzip_compressor(unsigned threads, Output to);
Result<std::unique_ptr<Stream>> gzip_decompressor(Output to);

} // namespace sheaf::archive
