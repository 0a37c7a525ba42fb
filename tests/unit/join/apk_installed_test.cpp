// SPDX-License-Identifier: Apache-2.0
#include "join/apk_installed.hpp"

#include <fmt/format.h>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

const std::string k_file(k_apk_installed_files[0]);

std::string package(std::string_view name, std::string_view version = "1.0-r0") {
  return fmt::format("C:Q1abc=\nP:{0}\nV:{1}\nA:x86_64\nD:so:libc.musl-x86_64.so.1\nF:usr\nF:usr/bin\nR:{0}\n"
                     "a:0:0:755\nZ:Q1def=\n\n",
                     name, version);
}

/// apk 2 keeps the order of installation.
TEST(ApkInstalled, KeepsTheOrderOfTheBaseAndAddsByName) {
  const auto base = package("musl") + package("busybox");
  EXPECT_EQ(joined_text(k_file, base, {base + package("zsh"), base + package("curl") + package("bash")}),
            base + package("bash") + package("curl") + package("zsh"));
}

/// apk 3 sorts by name.
TEST(ApkInstalled, KeepsASortedBaseSorted) {
  const auto base = package("busybox") + package("musl");
  EXPECT_EQ(joined_text(k_file, base, {base + package("zsh"), package("Bash") + base}),
            package("Bash") + base + package("zsh"));
}

TEST(ApkInstalled, TakesAnUpgradeAndARemoval) {
  const auto base = package("musl") + package("busybox") + package("curl");
  EXPECT_EQ(
      joined_text(k_file, base,
                  {package("musl", "2") + package("busybox") + package("curl"), package("musl") + package("curl")}),
      package("musl", "2") + package("curl"));
}

TEST(ApkInstalled, TwoVersionsAreAConflict) {
  const auto result = join_texts(k_file, "", {package("curl", "8.1-r0"), package("curl", "8.2-r0")});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message,
            "package 'curl' is version 8.1-r0 in layer 'a' and version 8.2-r0 in layer 'b'");
  EXPECT_EQ(result.conflicts[0].remedies[1],
            "build both layers from one package snapshot, so that both get the same 'curl'");
  EXPECT_EQ(join_texts(k_file, package("curl", "1"), {"", package("curl", "2")}).conflicts.at(0).message,
            "package 'curl' is removed in layer 'a' and version 2 in layer 'b'");
}

TEST(ApkInstalled, SaysWhereItDoesNotParse) {
  const ApkInstalled driver;
  EXPECT_EQ(driver.parse(k_file, package("a") + "V:1\n").error().message(),
            "'/lib/apk/db/installed': line 12: the stanza has no name");
  EXPECT_EQ(driver.parse(k_file, package("a") + package("a")).error().code(), ErrorCode::corrupt);
}

TEST(ApkInstalled, BothPlacesAreKnown) {
  EXPECT_EQ(driver_for("lib/apk/db/installed")->name(), "apk-installed");
  EXPECT_EQ(driver_for("usr/lib/apk/db/installed")->name(), "apk-installed");
  EXPECT_EQ(driver_for("lib/apk/db/triggers")->name(), "line-set");
  EXPECT_EQ(driver_for("etc/apk/repositories"), nullptr);
}

TEST(ApkTriggers, Unite) {
  EXPECT_EQ(
      joined_text("lib/apk/db/triggers", "Q1b= /bin\n", {"Q1b= /bin\nQ1c= /etc\n", "Q1b= /bin\nQ1a= /usr /lib\n"}),
      "Q1b= /bin\nQ1a= /usr /lib\nQ1c= /etc\n");
}

} // namespace
} // namespace sheaf::join
