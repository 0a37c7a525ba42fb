// SPDX-License-Identifier: Apache-2.0
// Any bytes as a certificate file and as a Java keystore: no crash, and what is read is printed as it was.
#include "base/assert.hpp"

#include <cstdint>

#include "generate/certificates.hpp"
#include "generate/java_keystore.hpp"

namespace {

void check_keystore(std::string_view bytes) {
  const auto entries = sheaf::generate::parse_keystore(bytes);
  if (!entries) {
    return;
  }
  const auto printed = sheaf::generate::print_keystore(*entries, "changeit");
  const auto again = sheaf::generate::parse_keystore(printed);
  SHEAF_ASSERT(again && *again == *entries);
}

void check_certificate(std::string_view content) {
  (void)sheaf::generate::links_by_hash({{"x.pem", std::string(content)}});
  if (const auto der = sheaf::generate::first_certificate(content)) {
    SHEAF_ASSERT(sheaf::generate::first_certificate(*der) == der);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_keystore(bytes);
  check_certificate(bytes);
  check_certificate("\x30" + std::string(bytes));
  return 0;
}
