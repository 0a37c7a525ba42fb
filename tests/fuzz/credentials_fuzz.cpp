// SPDX-License-Identifier: Apache-2.0
// Any bytes as docker's file of credentials and as base64: no crash; a file that was read can be changed, written and
// read again.
#include "base/assert.hpp"
#include "registry/base64.hpp"
#include "registry/credential_file.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf; // NOLINT(google-build-using-namespace): one small function
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = registry::from_base64(bytes)) {
    SHEAF_ASSERT(registry::from_base64(registry::to_base64(*decoded)) == decoded);
  }
  auto file = registry::CredentialFile::parse(bytes);
  if (!file) {
    SHEAF_ASSERT(file.error().code() == ErrorCode::invalid);
    return 0;
  }
  for (const auto* host : {"docker.io", "registry.example", "localhost:5000"}) {
    (void)file->find(host, std::string(host) + "/library/app");
    (void)file->helper_of(host);
  }
  (void)file->has_credentials();
  file->set("registry.example", {"user", "password", {}});
  const auto again = registry::CredentialFile::parse(file->to_string());
  SHEAF_ASSERT(again.has_value());
  const auto found = again->find("registry.example", "registry.example");
  SHEAF_ASSERT(found.has_value() && found->has_value() && (*found)->password == "password");
  (void)file->erase("registry.example");
  return 0;
}
