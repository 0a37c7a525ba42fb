// SPDX-License-Identifier: Apache-2.0
// Any bytes are an ignore file or are refused; matching ends soon and agrees with itself. The first line is the path.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "context/ignore_patterns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(bytes.find('\n'), bytes.size());
  const std::string path(bytes.substr(0, line));
  Diagnostics diagnostics;
  const auto source = std::make_shared<SourceText>("fuzz", std::string(bytes.substr(std::min(line + 1, bytes.size()))));
  const auto patterns = context::IgnorePatterns::parse(source, diagnostics);
  const bool folder = patterns.excludes(path);
  const bool below = patterns.excludes(path + "/below");
  // What is in an excluded folder is excluded, unless an exception says so.
  if (!path.empty() && folder && !below && !patterns.may_except_below(path)) {
    std::abort();
  }
  (void)context::matches_wildcard(source->line(1), path);
  return 0;
}
