// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Containerfile: parse, lint, render what is wrong with it; and as the ONBUILD of an image.
#include "base/assert.hpp"
#include "containerfile/file.hpp"
#include "containerfile/lint.hpp"

#include <cstddef>
#include <cstdint>

namespace {

void lint(const sheaf::containerfile::File& file, sheaf::Diagnostics& diagnostics) {
  sheaf::containerfile::LintSettings settings;
  settings.is_excluded = [](std::string_view path) { return path.size() % 2 == 0; };
  settings.base_variables = [](std::size_t stage) {
    return stage % 2 == 0 ? std::optional(std::set<std::string>{"PATH"}) : std::nullopt;
  };
  sheaf::containerfile::lint(file, settings, diagnostics);
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
    lint(*file, diagnostics);
  } else {
    SHEAF_ASSERT(diagnostics.has_errors());
  }
  for (const auto& diagnostic : diagnostics.all()) {
    SHEAF_ASSERT(diagnostic.span.begin <= diagnostic.span.end && diagnostic.span.end <= size);
  }
  (void)diagnostics.render();
  sheaf::Diagnostics of_trigger;
  (void)sheaf::containerfile::parse_trigger("ONBUILD of image", text, of_trigger);
  (void)of_trigger.render();
  return 0;
}
