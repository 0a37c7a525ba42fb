// SPDX-License-Identifier: Apache-2.0
// Any bytes as facts: no crash, and only what `serialise` writes is read.
#include "base/assert.hpp"
#include "join/facts.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto facts = sheaf::join::parse_facts(bytes)) {
    SHEAF_ASSERT(sheaf::join::serialise(*facts) == bytes);
  }
  return 0;
}
