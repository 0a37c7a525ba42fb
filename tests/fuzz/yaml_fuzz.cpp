// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to the parsers of `layer.yml`, `downloads.yml` and `sheaf.yml`. Whatever the input, they end,
// and they either give a value or say what is wrong.
#include "base/assert.hpp"
#include "catalogue/layer_definition.hpp"
#include "catalogue/project_config.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace {

template <class Parse>
void check(const std::string& text, Parse parse) {
  sheaf::Diagnostics diagnostics;
  const auto value = parse(std::make_shared<const sheaf::SourceText>("fuzz.yml", text), diagnostics);
  SHEAF_ASSERT(value.has_value() != diagnostics.has_errors());
  SHEAF_ASSERT(diagnostics.render().empty() != diagnostics.has_errors());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check(text,
        [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_layer("fuzz", source, diagnostics); });
  check(text, [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_downloads(source, diagnostics); });
  check(text, [](auto source, auto& diagnostics) { return sheaf::catalogue::parse_config(source, diagnostics); });
  return 0;
}
