// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to the reader of image configurations. What it accepts is written, and read again as the same
// value.
#include "base/assert.hpp"
#include "oci/image_config.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto image = sheaf::oci::parse_image(std::string(data, data + size));
  if (!image) {
    SHEAF_ASSERT(image.error().code() == sheaf::ErrorCode::corrupt);
    return 0;
  }
  const auto again = sheaf::oci::parse_image(sheaf::oci::serialise(*image));
  SHEAF_ASSERT(again.has_value());
  SHEAF_ASSERT(*again == *image);
  return 0;
}
