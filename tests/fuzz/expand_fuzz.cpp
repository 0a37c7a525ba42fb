// SPDX-License-Identifier: Apache-2.0
// Any bytes as a word with variables: the first byte chooses the escape character and which variables are set. Whatever
// is expanded without an error must be the same a second time, and plain text must come out as it is.
#include "base/assert.hpp"
#include "containerfile/expand.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

bool is_plain(std::string_view text) { return text.find_first_of("$'\"\\`") == std::string_view::npos; }

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto choice = data[0];
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const char escape = (choice & 1U) != 0 ? '`' : '\\';
  const sheaf::containerfile::Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    switch ((name.size() + choice / 2U) % 4) {
    case 0:
      return std::nullopt;
    case 1:
      return "";
    case 2:
      return "a/b*c a/b?x";
    default:
      return std::string(name) + "\xC3\xA4" + text.substr(0, 20);
    }
  };
  for (const bool content : {false, true}) {
    const auto run = [&] {
      return content ? sheaf::containerfile::expand_content(text, lookup)
                     : sheaf::containerfile::expand(text, lookup, escape);
    };
    const auto first = run();
    const auto second = run();
    SHEAF_ASSERT(first.has_value() == second.has_value() && (!first || *first == *second));
    SHEAF_ASSERT(first || !first.error().message().empty());
    SHEAF_ASSERT(!is_plain(text) || (first && *first == text));
  }
  return 0;
}
