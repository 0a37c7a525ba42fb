// SPDX-License-Identifier: Apache-2.0
// Any bytes as the value of an option: sizes, ages, times, modes, outputs, caches, attributes. The first byte chooses
// the kind. What is not understood is an error of the user, never one of ours.
#include "app/attributes.hpp"
#include "app/image_output.hpp"
#include "app/layer_caches.hpp"
#include "app/step_caches.hpp"
#include "base/assert.hpp"
#include "base/quantity.hpp"
#include "containerfile/truth.hpp"
#include "oci/root_fs.hpp"
#include "sandbox/file_mode.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generate/java_keystore.hpp"

namespace {

using namespace sheaf; // NOLINT(google-build-using-namespace): this file is a program

template <class T>
void check(const Result<T>& parsed) {
  SHEAF_ASSERT(parsed.has_value() || parsed.error().code() == ErrorCode::invalid ||
               parsed.error().code() == ErrorCode::unsupported);
}

void check_time(std::string_view text) {
  if (const auto seconds = oci::parse_time(text)) {
    SHEAF_ASSERT(oci::parse_time(oci::format_time(*seconds)) == seconds);
  }
}

constexpr std::array k_kinds = {
    +[](std::string_view text) { (void)parse_size(text); },
    +[](std::string_view text) { (void)parse_age(text); },
    +[](std::string_view text) { (void)containerfile::parse_truth(text); },
    +[](std::string_view text) { (void)generate::parse_keystore_settings(text); },
    +[](std::string_view text) { check_time(text); },
    +[](std::string_view text) { check(sandbox::FileMode::parse(text)); },
    +[](std::string_view text) { check(app::parse_attributes(text)); },
    +[](std::string_view text) { check(app::parse_output(text)); },
    +[](std::string_view text) { check(app::parse_compression(text)); },
    +[](std::string_view text) { check(app::parse_cache(text)); },
    +[](std::string_view text) { check(app::parse_cache_from(text)); },
    +[](std::string_view text) { check(app::parse_cache_to(text)); },
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) {
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
    k_kinds[data[0] % k_kinds.size()](text);
  }
  return 0;
}
