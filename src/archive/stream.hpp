// SPDX-License-Identifier: Apache-2.0
#pragma once

// What compressors and decompressors have in common; used by packing.hpp alone.

#include "archive/packing.hpp"

namespace sheaf::archive {

class Stream {
public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
  virtual Result<void> finish() = 0;
};

} // namespace sheaf::archive
