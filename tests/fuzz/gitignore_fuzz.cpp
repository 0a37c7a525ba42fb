// SPDX-License-Identifier: Apache-2.0
// Any bytes are an ignore file; matching ends soon and obeys what holds for any. The first line is the path.
#include "detect/ignore_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf::detect;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(bytes.find('\n'), bytes.size());
  const auto path = bytes.substr(0, line);
  const std::string text(bytes.substr(std::min(line + 1, bytes.size())));
  const auto file = IgnoreFile::parse(text);
  const auto verdict = file.verdict(path, EntryKind::file);
  if (file.empty() && verdict != Verdict::none) {
    std::abort();
  }
  // The last line decides.
  const bool has_name = !path.empty() && !path.ends_with('/');
  if (has_name && IgnoreFile::parse(text + "\n*\n").verdict(path, EntryKind::file) != Verdict::ignored) {
    std::abort();
  }
  if (has_name && IgnoreFile::parse(text + "\n!*\n").verdict(path, EntryKind::directory) != Verdict::included) {
    std::abort();
  }
  return 0;
}
