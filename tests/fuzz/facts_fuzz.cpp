// SPDX-License-Identifier: Apache-2.0
// Any bytes as facts, and as a file of every driver: no crash, and what is read can be printed and read again.
#include "base/assert.hpp"
#include "join/driver.hpp"

#include <array>
#include <cstdint>

namespace {

using namespace std::string_view_literals;

constexpr std::array k_files = {"var/lib/dpkg/status"sv,
                                "var/lib/apt/extended_states"sv,
                                "var/lib/dpkg/diversions"sv,
                                "var/cache/debconf/config.dat"sv,
                                "etc/passwd"sv,
                                "etc/group"sv,
                                "etc/shadow"sv,
                                "etc/subuid"sv,
                                "etc/ld.so.cache"sv,
                                "etc/shells"sv,
                                "var/lib/dpkg/statoverride"sv,
                                "etc/environment"sv};

void check_facts(std::string_view bytes) {
  if (const auto facts = sheaf::join::parse_facts(bytes)) {
    SHEAF_ASSERT(sheaf::join::serialise(*facts) == bytes);
  }
}

void check_driver(std::string_view file, std::string_view text) {
  const auto* driver = sheaf::join::driver_for(file);
  SHEAF_ASSERT(driver != nullptr);
  const auto canonical = [&](std::string_view source) -> std::optional<std::string> {
    auto records = driver->parse(file, source);
    if (!records) {
      return std::nullopt;
    }
    driver->order(file, *records, records->size());
    auto printed = driver->print(file, *records);
    SHEAF_ASSERT(printed.has_value());
    return std::move(*printed);
  };
  if (const auto once = canonical(text)) {
    const auto twice = canonical(*once);
    SHEAF_ASSERT(twice && *twice == *once);
  }
}

void check_reconcile(std::string_view file, std::string_view text) {
  const auto* driver = sheaf::join::driver_for(file);
  const auto middle = text.size() / 2;
  const std::optional<std::string> before;
  const std::optional<std::string> current(text.substr(0, middle));
  const std::optional<std::string> after(text.substr(middle));
  const auto one = driver->reconcile({file, "key", before, current, after});
  const auto other = driver->reconcile({file, "key", before, after, current});
  SHEAF_ASSERT(one.has_value() == other.has_value() && (!one || one->value == other->value));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_facts(bytes);
  for (const auto file : k_files) {
    check_driver(file, bytes);
    check_reconcile(file, bytes);
  }
  return 0;
}
