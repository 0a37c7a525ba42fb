// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Containerfile: parse, render what is wrong with it, expand what is not.
#include "base/assert.hpp"
#include "containerfile/expand.hpp"
#include "containerfile/file.hpp"

#include <cstddef>
#include <cstdint>

namespace {

std::optional<std::string> variable(std::string_view name) {
  return name.size() % 3 == 0 ? std::nullopt : std::optional(name.size() % 3 == 1 ? "a/b*c a/b" : std::string());
}

void check(const sheaf::containerfile::File& file) {
  const auto size = file.source->text().size();
  SHEAF_ASSERT(!file.stages.empty());
  for (const auto& stage : file.stages) {
    SHEAF_ASSERT(!stage.from.image.text.empty());
    for (const auto& instruction : stage.instructions) {
      const auto& origin = sheaf::containerfile::origin_of(instruction);
      SHEAF_ASSERT(origin.span.begin < origin.span.end && origin.span.end <= size && origin.line > 0);
      SHEAF_ASSERT(!origin.display().empty());
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  sheaf::Diagnostics diagnostics;
  const auto source = std::make_shared<sheaf::SourceText>("Containerfile", text);
  if (const auto file = sheaf::containerfile::parse(source, diagnostics)) {
    check(*file);
  } else {
    SHEAF_ASSERT(diagnostics.has_errors());
  }
  for (const auto& diagnostic : diagnostics.all()) {
    SHEAF_ASSERT(diagnostic.span.begin <= diagnostic.span.end && diagnostic.span.end <= size);
  }
  (void)diagnostics.render();
  for (const char escape : {'\\', '`'}) {
    sheaf::ignore(sheaf::containerfile::expand(text, variable, escape), "expanding any bytes");
  }
  return 0;
}
