// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "sbom/packages.hpp"
#include "unit/join/rpm_support.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view k_status =
    "Package: curl\nStatus: install ok installed\nArchitecture: amd64\n"
    "Source: curl-src (7.88.1-10)\nVersion: 7.88.1-10+b1\nDescription: x\n more\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
    "Package: held\nStatus: hold ok installed\nArchitecture: all\nVersion: 2:1~rc1\n";

std::vector<std::string> urls_of(const Packages& found) {
  std::vector<std::string> urls;
  for (const auto& package : found.packages) {
    urls.push_back(package.purl);
  }
  return urls;
}

TEST(NamesPackages, KnowsTheFiles) {
  for (const auto* path : {"var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "lib/apk/db/installed",
                           "usr/lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite",
                           "node_modules/a/package.json", "app/node_modules/@s/a/package.json",
                           "app/node_modules/a/node_modules/b/package.json", "usr/share/nodejs/a/package.json",
                           "usr/share/nodejs/@s/a/package.json", "usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
                           "x/a.egg-info/PKG-INFO", "x/a-1.egg-info", "x/a.egg/EGG-INFO/PKG-INFO"}) {
    EXPECT_TRUE(names_packages(path)) << path;
  }
  for (const auto* path :
       {"var/lib/dpkg/status-old", "var/lib/dpkg/status.d/base.md5sums", "app/package.json", "package.json",
        "node_modules/package.json", "node_modules/a/dist/package.json", "node_modules/@s/package.json",
        "my_node_modules/a/package.json", "usr/share/nodejs/a/b/package.json", "usr/share/nodejs/package.json",
        "x/METADATA", "x/PKG-INFO"}) {
    EXPECT_FALSE(names_packages(path)) << path;
  }
}

TEST(ParsePackages, ReadsDpkg) {
  const auto packages = parse_packages("var/lib/dpkg/status", k_status).value();
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "curl");
  EXPECT_EQ(packages[0].version, "7.88.1-10+b1");
  EXPECT_EQ(packages[0].architecture, "amd64");
  EXPECT_EQ(packages[0].source_name, "curl-src");
  EXPECT_EQ(packages[0].source_version, "7.88.1-10");
  EXPECT_EQ(packages[1].name, "held");
  EXPECT_EQ(packages[1].source_name, "");
}

TEST(ParsePackages, ReadsApk) {
  const auto packages =
      parse_packages("lib/apk/db/installed", "C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl-src\nF:lib\nR:ld\n\n")
          .value();
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].type, PackageType::apk);
  EXPECT_EQ(packages[0].version, "1.2.4-r2");
  EXPECT_EQ(packages[0].licence, "MIT");
  EXPECT_EQ(packages[0].source_name, "musl-src");
}

TEST(ParsePackages, ReadsRpm) {
  const std::vector<join::PackageSketch> sketches = {{.name = "bash", .version = "5.2"}, {.name = "gpg-pubkey"}};
  const auto packages = parse_packages("var/lib/rpm/rpmdb.sqlite", join::rpm_database_of(sketches)).value();
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].type, PackageType::rpm);
  EXPECT_EQ(packages[0].name, "bash");
  EXPECT_EQ(packages[0].version, "5.2-1");
  EXPECT_EQ(packages[0].architecture, "x86_64");
}

TEST(OsRelease, SaysTheDistribution) {
  const auto found = parse_os_release("NAME=\"X\"\nID=debian\nVERSION_ID=\"12\"\n");
  EXPECT_EQ(found.id, "debian");
  EXPECT_EQ(found.version, "12");
  EXPECT_EQ(parse_os_release("ID_LIKE=x\nID='a b'\n").id, "a b");
  const auto like = parse_os_release("ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\n");
  EXPECT_EQ(like.like, "debian");
  EXPECT_EQ(like.title, "Ubuntu 24.04.1 LTS");
  EXPECT_EQ(parse_os_release("").id, "");
}

TEST(FindPackages, ReadsWhatShows) {
  TestTrees trees;
  trees.add("base");
  trees.add("top");
  trees.file("base", "usr/lib/os-release", "ID=debian\nVERSION_ID=12\n");
  trees.file("base", "var/lib/dpkg/status",
             "Package: old\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n");
  trees.file("top", "var/lib/dpkg/status", k_status);
  trees.file("base", "opt/node_modules/gone/package.json", R"({"name": "gone", "version": "1"})");
  trees.deletion("top", "opt/node_modules/gone");
  trees.file("base", "opt/node_modules/@s/stays/package.json", R"({"name": "@s/stays", "version": "1"})");
  trees.file("top", "srv/a-1.dist-info/METADATA", "Name: A\nVersion: 1\n");
  const auto found = find_packages(trees.stack()).value();
  EXPECT_EQ(found.distribution.version, "12");
  EXPECT_THAT(found.unreadable, IsEmpty());
  EXPECT_THAT(urls_of(found), ElementsAre("pkg:deb/debian/curl@7.88.1-10%2Bb1?arch=amd64&distro=debian-12",
                                          "pkg:deb/debian/held@2:1~rc1?arch=all&distro=debian-12",
                                          "pkg:npm/%40s/stays@1", "pkg:pypi/a@1"));
}

TEST(FindPackages, OneEntryForWhatIsThereTwice) {
  TestTrees trees;
  trees.add("a");
  for (const auto* place : {"z", "b/node_modules/c", "a"}) {
    trees.file("a", std::string(place) + "/node_modules/x/package.json", R"({"name": "x", "version": "1"})");
  }
  const auto found = find_packages(trees.stack()).value();
  ASSERT_EQ(found.packages.size(), 1U);
  EXPECT_THAT(found.packages[0].places,
              ElementsAre("a/node_modules/x/package.json", "b/node_modules/c/node_modules/x/package.json",
                          "z/node_modules/x/package.json"));
}

TEST(FindPackages, PassesOverWhatCannotBeRead) {
  TestTrees trees;
  trees.add("a");
  trees.file("a", "node_modules/bad/package.json", "{");
  trees.file("a", "node_modules/good/package.json", R"({"name": "good", "version": "1"})");
  trees.file("a", "var/lib/rpm/rpmdb.sqlite", "no database");
  trees.file("a", "var/lib/dpkg/status", "Version: 1\n");
  trees.link("a", "node_modules/link/package.json", "/etc/passwd");
  const auto found = find_packages(trees.stack()).value();
  EXPECT_THAT(urls_of(found), ElementsAre("pkg:npm/good@1"));
  EXPECT_THAT(found.unreadable,
              ElementsAre("node_modules/bad/package.json", "var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite"));
}

} // namespace
} // namespace sheaf::sbom
