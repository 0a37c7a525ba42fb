// SPDX-License-Identifier: Apache-2.0
#include "plan/on_build.hpp"

#include "containerfile/file.hpp"

namespace sheaf::plan {

std::vector<containerfile::Instruction> parse_on_build(const std::shared_ptr<const SourceText>& source,
                                                       Diagnostics& diagnostics) {
  Diagnostics found;
  auto file = containerfile::parse(
      std::make_shared<SourceText>(source->name(), "FROM scratch\n" + std::string(source->text())), found);
  for (auto diagnostic : found.all()) {
    diagnostic.source = source;
    diagnostic.span = {0, source->text().size()};
    if (diagnostic.severity == Severity::error) {
      diagnostics.add(std::move(diagnostic));
    }
  }
  return file ? std::move(file->stages.front().instructions) : std::vector<containerfile::Instruction>();
}

} // namespace sheaf::plan
