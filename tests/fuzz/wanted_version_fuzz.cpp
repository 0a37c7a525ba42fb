// SPDX-License-Identifier: Apache-2.0
// Any bytes are a file that may say a version, in every form; what is found can be read as a range or cannot, and what
// is handed over for it is a version. The first byte chooses the form.
#include "base/text.hpp"
#include "detect/version_range.hpp"
#include "detect/wanted_version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace {

using namespace sheaf::detect;

void check_range(std::string_view text) {
  if (const auto range = VersionRange::parse(text)) {
    (void)range->allows(range->least());
    (void)disagree(text, ">=1.2 <3 || 7");
  }
  if (const auto plain = plain_version(text)) {
    // As it is handed over, it means the same and stays the same.
    const auto range = VersionRange::parse(*plain);
    if (!range || plain_version(*plain) != plain || !range->allows(*plain)) {
      std::abort();
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::pair<const char*, const char*>, 6> k_forms = {
      {{".nvmrc", "first-line"},
       {"package.json", "engines.node"},
       {"pyproject.toml", "project.requires-python"},
       {"go.mod", "go"},
       {"rust-toolchain", "toolchain.channel"},
       {"", ""}}};
  if (size == 0) {
    return 0;
  }
  const auto& [name, where] = k_forms.at(data[0] % k_forms.size());
  const std::string_view contents(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_range(contents);
  const auto written = find_version(name, contents, where);
  if (!written || !*written) {
    return 0;
  }
  const auto lines = sheaf::lines_of(contents).size();
  if ((*written)->line == 0 || (*written)->line > lines || (*written)->text.empty() || (*written)->text.size() > 100) {
    std::abort();
  }
  check_range((*written)->text);
  return 0;
}
