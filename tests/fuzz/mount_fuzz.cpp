// SPDX-License-Identifier: Apache-2.0
// Any bytes as the flags of RUN: what is read is resolved, with variables that hold more of the same bytes. Ports,
// modes, durations, signals and the `check` directive are read from the same bytes, too.
#include "base/assert.hpp"
#include "containerfile/ast.hpp"
#include "containerfile/check_directive.hpp"
#include "containerfile/chmod.hpp"
#include "containerfile/duration.hpp"
#include "containerfile/mount.hpp"
#include "containerfile/port.hpp"
#include "containerfile/signal.hpp"

#include <cstddef>
#include <cstdint>

namespace cf = sheaf::containerfile;

namespace {

void small_readers(const std::shared_ptr<const sheaf::SourceText>& source, const std::string& text) {
  if (const auto ports = cf::parse_ports(text)) {
    SHEAF_ASSERT(ports->first <= ports->last && ports->last <= 65535);
    SHEAF_ASSERT(ports->names().size() == ports->last - ports->first + 1);
  }
  (void)cf::is_valid_mode(text);
  (void)cf::parse_duration(text);
  (void)cf::is_signal(text);
  sheaf::Diagnostics diagnostics;
  (void)cf::parse_check(source, {text, {0, text.size()}}, diagnostics);
  (void)diagnostics.render();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto source = std::make_shared<sheaf::SourceText>("Containerfile", "RUN --mount=" + text + " x");
  small_readers(source, text);
  sheaf::Diagnostics diagnostics;
  auto lexed = cf::lex(source, diagnostics);
  for (auto& line : lexed.lines) {
    const auto node = cf::parse_node(std::move(line));
    for (const auto& flag : node.flags) {
      const auto mount = cf::parse_mount(source, node.line, flag, diagnostics);
      if (!mount) {
        continue;
      }
      const cf::ExpandWord expand = [&](const cf::Word& word) {
        return word.text.find('$') == std::string::npos ? word.text : text.substr(text.size() / 2);
      };
      if (const auto resolved = cf::resolve_mount(source, *mount, expand, diagnostics)) {
        const bool has_place = resolved->type != cf::Mount::Type::secret && resolved->type != cf::Mount::Type::ssh;
        SHEAF_ASSERT(!has_place || !resolved->target.empty());
        SHEAF_ASSERT(has_place || !resolved->id.empty());
        SHEAF_ASSERT(!resolved->mode || *resolved->mode <= 07777);
      }
    }
  }
  for (const auto& diagnostic : diagnostics.all()) {
    SHEAF_ASSERT(diagnostic.span.begin <= diagnostic.span.end && diagnostic.span.end <= source->text().size());
  }
  (void)diagnostics.render();
  return 0;
}
