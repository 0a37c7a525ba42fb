// SPDX-License-Identifier: Apache-2.0
#include "join/driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sheaf::join {
namespace {

TEST(Drivers, FindsTheOneOfAFile) {
  const std::pair<std::string_view, std::string_view> k_owned[] = {
      {"var/lib/dpkg/status", "dpkg-status"},
      {"var/lib/apt/extended_states", "apt-extended-states"},
      {"var/lib/dpkg/diversions", "dpkg-diversions"},
      {"var/lib/dpkg/triggers/File", "line-set"},
      {"var/lib/dpkg/statoverride", "line-set"},
      {"var/cache/debconf/templates.dat", "debconf"},
      {"etc/gshadow", "accounts"},
      {"etc/ld.so.cache", "ld-so-cache"},
  };
  for (const auto& [file, name] : k_owned) {
    ASSERT_NE(driver_for(file), nullptr) << file;
    EXPECT_EQ(driver_for(file)->name(), name) << file;
    EXPECT_EQ(std::count_if(drivers().begin(), drivers().end(), [&, path = file](auto d) { return d->owns(path); }), 1);
  }
}

TEST(Drivers, LeavesTheRest) {
  for (const auto file : {"etc/hosts", "var/lib/dpkg/status-old", "etc/passwd-", "var/lib/dpkg/lock",
                          "var/cache/debconf/config.dat-old", "/etc/passwd", ""}) {
    EXPECT_EQ(driver_for(file), nullptr) << file;
  }
}

TEST(Drivers, HaveUniqueNames) {
  std::set<std::string_view> names;
  for (const auto* driver : drivers()) {
    EXPECT_TRUE(names.insert(driver->name()).second) << driver->name();
  }
}

} // namespace
} // namespace sheaf::join
