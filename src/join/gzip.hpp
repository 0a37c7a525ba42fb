// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small gzip files in memory, for databases that are kept compressed. Source: RFC 1952.

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace sheaf::join {

/// What `bytes`, one gzip member and nothing after it, unpack to. `corrupt` with the byte offset; `unsupported` for
/// more than 64 MiB, which no database of ours comes near.
Result<std::string> gunzip(std::string_view bytes);

/// `text` as a gzip file without compression: its bytes depend on nothing but `text`, not on a compressor's version.
std::string gzip_stored(std::string_view text);

} // namespace sheaf::join
