// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to the parsers of `layer.yml`, `downloads.yml`, `sheaf.yml` and `sheaf.lock`. Whatever the
// input, they end, and they either give a value or say what is wrong. A lock file that was read is written so that it
// is read as the same.
#include "base/assert.hpp"
#include "catalogue/layer_definition.hpp"
#include "catalogue/lock_file.hpp"
#include "catalogue/project_config.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace {

template <class Parse>
auto check(const std::string& text, Parse parse) {
  sheaf::Diagnostics diagnostics;
  const auto value = parse(std::make_shared<const sheaf::SourceText>("fuzz.yml", text), diagnostics);
  SHEAF_ASSERT(value.has_value() != diagnostics.has_errors());
  SHEAF_ASSERT(diagnostics.render().empty() != diagnostics.has_errors());
  return value;
}

void check_lock(const std::string& text) {
  const auto parse = [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_lock(source, diagnostics); };
  if (const auto lock = check(text, parse)) {
    const auto again = check(sheaf::catalogue::serialise(*lock), parse);
    SHEAF_ASSERT(again == lock);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check(text,
        [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_layer("fuzz", source, diagnostics); });
  check(text, [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_downloads(source, diagnostics); });
  check(text, [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_config(source, diagnostics); });
  check_lock(text);
  return 0;
}
