// SPDX-License-Identifier: Apache-2.0
// Any bytes as the pins of a store, and as the parts of a remembered environment: "<inputs>\n<environment>", put in the
// place of what was saved. The first byte chooses the kind. A remembered environment never fails: it counts or not.
#include "app/environment.hpp"
#include "app/pins.hpp"
#include "base/assert.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/store.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is a program
using Json = nlohmann::json;

void check_pins(std::string_view text) {
  const auto pins = app::parse_pins(text);
  SHEAF_ASSERT(pins.has_value() || pins.error().code() == ErrorCode::corrupt);
}

void check_environment(const std::string& folder, std::string_view text) {
  const auto path = folder + "/plans/saved.json";
  static const bool made =
      store::Store::open(folder) && os::make_directories(folder + "/plans") && app::save(path, {}, {});
  SHEAF_ASSERT(made);
  static const auto whole = Json::parse(os::read_file(path).value());
  const auto line = text.find('\n');
  auto changed = whole;
  for (const auto& [name, part] :
       {std::pair("inputs", text.substr(0, line)), {"environment", line == text.npos ? "" : text.substr(line + 1)}}) {
    if (auto json = Json::parse(part, nullptr, false); !json.is_discarded()) {
      changed[name] = std::move(json);
    }
  }
  const auto file = folder + "/plans/changed.json";
  SHEAF_ASSERT(os::write_file(file, changed.dump(-1, ' ', false, Json::error_handler_t::replace)).has_value());
  (void)app::load_if_current(file);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto folder = os::TempDir::create("/dev/shm", "sheaf-fuzz-").value();
  if (size > 0) {
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
    data[0] % 2 == 0 ? check_pins(text) : check_environment(folder.path() + "/store", text);
  }
  return 0;
}
