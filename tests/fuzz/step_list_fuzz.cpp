// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to the reader of lists of steps. What is accepted is written, and read again as the same value.
#include "base/assert.hpp"
#include "cache/step_object.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf;
  const std::vector<oci::Descriptor> layers = {
      {oci::layer_media_type(oci::Compression::zstd), Digest::of("a layer"), 7, {}, {}, {}}};
  const auto parsed = cache::parse_step_list(std::string(data, data + size), layers);
  if (!parsed) {
    const auto code = parsed.error().code();
    SHEAF_ASSERT(code == ErrorCode::corrupt || code == ErrorCode::invalid || code == ErrorCode::unsupported);
    return 0;
  }
  const auto again = cache::parse_step_list(cache::serialise(*parsed), layers);
  SHEAF_ASSERT(again.has_value());
  SHEAF_ASSERT(*again == *parsed);
  return 0;
}
