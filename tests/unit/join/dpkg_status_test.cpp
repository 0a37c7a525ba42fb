// SPDX-License-Identifier: Apache-2.0
#include "join/dpkg_status.hpp"

#include <fmt/format.h>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

std::string stanza(std::string_view package, std::string_view version, std::string_view architecture = "amd64",
                   std::string_view status = "install ok installed") {
  return fmt::format("Package: {}\nStatus: {}\nArchitecture: {}\nVersion: {}\nDescription: about {}\n text\n .\n\n",
                     package, status, architecture, version, package);
}

TEST(DpkgStatus, UnitesPackagesInDpkgsOrder) {
  const auto base = stanza("a", "1", "all") + stanza("libc6", "2");
  const auto a = stanza("a", "1", "all") + stanza("a-b", "1") + stanza("libc6", "2") + stanza("zsh", "5");
  const auto b = stanza("a", "1", "all") + stanza("libc6", "2") + stanza("libc6", "2", "i386");
  EXPECT_EQ(joined_text(k_dpkg_status_file, base, {a, b}), stanza("a", "1", "all") + stanza("a-b", "1") +
                                                               stanza("libc6", "2") + stanza("libc6", "2", "i386") +
                                                               stanza("zsh", "5"));
}

TEST(DpkgStatus, TakesAnUpgradeAndARemoval) {
  const auto base = stanza("a", "1") + stanza("b", "1") + stanza("c", "1");
  EXPECT_EQ(joined_text(k_dpkg_status_file, base,
                        {stanza("a", "2") + stanza("b", "1") + stanza("c", "1"), stanza("a", "1") + stanza("c", "1")}),
            stanza("a", "2") + stanza("c", "1"));
}

TEST(DpkgStatus, TwoVersionsAreAConflict) {
  const auto result = join_texts(k_dpkg_status_file, "",
                                 {stanza("libpng", "1.6-u5"), stanza("libpng", "1.6-u5"), stanza("libpng", "1.6-u6")});
  ASSERT_EQ(result.conflicts.size(), 1U);
  const auto& conflict = result.conflicts[0];
  EXPECT_EQ(conflict.message, "package 'libpng:amd64' is version 1.6-u5 in layer 'a' and version 1.6-u6 in layer 'c'");
  EXPECT_EQ(conflict.driver, "dpkg-status");
  EXPECT_EQ(conflict.key, "libpng:amd64");
  EXPECT_EQ(conflict.value_b, stanza("libpng", "1.6-u6").substr(0, stanza("libpng", "1.6-u6").size() - 1));
  EXPECT_EQ(conflict.remedies,
            (std::vector<std::string>{"build layer 'c' on top of 'a': add 'a' to the 'needs' of 'c'",
                                      "build both layers from one package snapshot, so that both get the same "
                                      "'libpng:amd64'"}));
}

TEST(DpkgStatus, SaysWhatElseDiffers) {
  const auto removed = join_texts(k_dpkg_status_file, stanza("p", "1"), {"", stanza("p", "2")});
  ASSERT_EQ(removed.conflicts.size(), 1U);
  EXPECT_EQ(removed.conflicts[0].message, "package 'p:amd64' is removed in layer 'a' and version 2 in layer 'b'");
  const auto state =
      join_texts(k_dpkg_status_file, "", {stanza("p", "1"), stanza("p", "1", "amd64", "deinstall ok config-files")});
  ASSERT_EQ(state.conflicts.size(), 1U);
  EXPECT_EQ(state.conflicts[0].message,
            "package 'p:amd64' is version 1 in layer 'a' and version 1 (deinstall ok config-files) in layer 'b'");
}

TEST(DpkgStatus, SaysWhereItDoesNotParse) {
  const DpkgStatus driver;
  EXPECT_EQ(driver.parse(k_dpkg_status_file, stanza("a", "1") + "Version: 1\n").error().message(),
            "'/var/lib/dpkg/status': line 9: the stanza has no name");
  EXPECT_EQ(driver.parse(k_dpkg_status_file, stanza("a", "1") + stanza("a", "2")).error().code(), ErrorCode::corrupt);
}

} // namespace
} // namespace sheaf::join
