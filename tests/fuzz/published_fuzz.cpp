// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary bytes to what reads the answers of upstream's servers. Whatever is found is a digest or a version,
// and what is changed in a downloads.yml can be read again.
#include "base/assert.hpp"
#include "catalogue/downloads_edit.hpp"
#include "catalogue/layer_definition.hpp"
#include "catalogue/published.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sheaf::catalogue; // NOLINT(google-build-using-namespace): one small function
  const std::string text(data, data + size);
  if (const auto digest = published_digest(text, "tool.tar.gz")) {
    SHEAF_ASSERT(is_hex_digest(*digest));
  }
  const auto version = published_version(text, std::nullopt);
  SHEAF_ASSERT(!version || !arg_mistake({ArgType::version, {}, {}, {}}, *version));
  SHEAF_ASSERT(compare_versions(text, text) == 0);

  sheaf::Diagnostics diagnostics;
  const auto downloads = parse_downloads(std::make_shared<const sheaf::SourceText>("downloads.yml", text), diagnostics);
  if (downloads && !downloads->artefacts.empty()) {
    Pin pin{"9.9", {}, {}};
    for (const auto& [arch, name] : downloads->artefacts.front().architectures) {
      pin.sha256[arch] = std::string(64, 'f');
    }
    (void)with_pins(*downloads, {{downloads->artefacts.front().name, pin}}); // checks its own result
  }
  return 0;
}
