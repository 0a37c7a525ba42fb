// SPDX-License-Identifier: Apache-2.0
// Any bytes are an index of manual pages or are refused; what is read is no more than what they are long.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "generate/man_index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto records = sheaf::generate::parse_man_index(bytes);
  std::size_t total = 0;
  if (records) {
    for (const auto& [key, value] : *records) {
      total += key.size() + value.size();
    }
  }
  if (total > size || sheaf::generate::same_pages(bytes, bytes) != records.has_value()) {
    std::abort();
  }
  return 0;
}
