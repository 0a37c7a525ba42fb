// SPDX-License-Identifier: Apache-2.0
// Any bytes as an image's name: no crash, and both spellings of what is accepted mean the same.
#include "base/assert.hpp"
#include "oci/reference.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sheaf::oci::Reference;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto reference = Reference::parse(bytes)) {
    const auto full = Reference::parse(reference->to_string());
    const auto familiar = Reference::parse(reference->familiar());
    SHEAF_ASSERT(full && *full == *reference);
    SHEAF_ASSERT(familiar && *familiar == *reference);
  }
  return 0;
}
