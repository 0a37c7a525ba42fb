// SPDX-License-Identifier: Apache-2.0
// Any bytes as what ADD may be given (a repository, a file of the web), as a platform and as the name of an image for a
// platform: what is accepted can be printed and read again.
#include "base/assert.hpp"
#include "plan/platform.hpp"
#include "plan/remote_source.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf; // NOLINT(google-build-using-namespace): one small function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)plan::is_web_address(text);
  (void)plan::parse_repository(text);
  (void)plan::parse_fetch(text);
  const auto name = plan::file_name_of(text);
  SHEAF_ASSERT(name.find('/') == std::string::npos && name != ".." && name != ".");
  if (const auto platform = plan::Platform::parse(text)) {
    SHEAF_ASSERT(plan::Platform::parse(platform->to_string()).value() == *platform);
  }
  (void)plan::PlatformImage::parse(text);
  return 0;
}
