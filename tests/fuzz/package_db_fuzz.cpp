// SPDX-License-Identifier: Apache-2.0
// Any bytes as a package database of apk or rpm, and as one package header of rpm: no crash, and what is read can be
// printed and read again. The first byte chooses what the rest is taken for.
#include "base/assert.hpp"
#include "join/driver.hpp"
#include "join/rpm_index.hpp"
#include "sql/database.hpp"

#include <array>
#include <cstdint>

namespace {

using namespace std::string_view_literals;
using sheaf::join::RpmHeader;

constexpr std::array k_files = {"lib/apk/db/installed"sv, "etc/apk/world"sv, "lib/apk/db/scripts.tar"sv,
                                "lib/apk/db/scripts.tar.gz"sv, "var/lib/rpm/rpmdb.sqlite"sv};

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

/// A header, as the only package of a database: that is how the fuzzer gets past SQLite's own format.
void check_header(std::string_view blob) {
  const auto value = sheaf::join::normalised(blob);
  SHEAF_ASSERT(!value || RpmHeader::parse(blob).has_value());
  if (!value) {
    return;
  }
  SHEAF_ASSERT(sheaf::join::normalised(*value).value() == *value);
  const auto header = RpmHeader::parse(*value).value();
  for (const auto& table : sheaf::join::rpm_tables()) {
    (void)sheaf::join::rpm_index_rows(table, header);
  }
  const auto file = k_files.back();
  const auto* driver = sheaf::join::driver_for(file);
  const auto printed = driver->print(file, {{"key", *value}});
  SHEAF_ASSERT(printed.has_value());
  if (const auto records = driver->parse(file, *printed)) {
    SHEAF_ASSERT(records->size() == 1 && records->front().value == *value);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = std::string_view(reinterpret_cast<const char*>(data), size).substr(1);
  const auto choice = data[0] % (k_files.size() + 2);
  if (choice < k_files.size()) {
    check_driver(k_files[choice], bytes);
  } else if (choice == k_files.size()) {
    check_header(bytes);
  } else {
    (void)sheaf::join::names_in_rich_dependency(bytes);
  }
  return 0;
}
