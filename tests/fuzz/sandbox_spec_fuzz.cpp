// SPDX-License-Identifier: Apache-2.0
// Any bytes as what the helper of the sandbox is told, and as a mode of COPY --chmod. What is accepted is written, and
// read again as the same.
#include "base/assert.hpp"
#include "sandbox/file_mode.hpp"
#include "sandbox/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf; // NOLINT(google-build-using-namespace): one small function
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto spec = sandbox::parse_spec(bytes)) {
    const auto printed = sandbox::serialise(*spec);
    const auto again = sandbox::parse_spec(printed);
    SHEAF_ASSERT(again.has_value());
    SHEAF_ASSERT(sandbox::serialise(*again) == printed);
  } else {
    SHEAF_ASSERT(spec.error().code() == ErrorCode::internal);
  }
  if (const auto mode = sandbox::FileMode::parse(bytes)) {
    SHEAF_ASSERT((mode->apply(0100644) & ~07777U) == 0);
    SHEAF_ASSERT((mode->apply(0040755) & ~07777U) == 0);
  }
  return 0;
}
