// SPDX-License-Identifier: Apache-2.0
#include "join/rpm_database.hpp"

#include <fmt/format.h>

#include "unit/join/join_support.hpp"
#include "unit/join/rpm_support.hpp"

namespace sheaf::join {
namespace {

const std::string k_file(k_rpm_database_files[0]);
using Packages = std::vector<PackageSketch>;

std::vector<std::string> keys_in(const std::string& database) {
  std::vector<std::string> keys;
  const auto records = RpmDatabase().parse(k_file, database).value();
  for (const auto& record : records) {
    keys.push_back(record.key);
  }
  return keys;
}

TEST(RpmDatabase, UnitesPackagesAfterThoseOfTheBase) {
  const Packages base = {{.name = "zlib"}, {.name = "bash"}};
  const auto joined = joined_text(k_file, rpm_database_of(base),
                                  {rpm_database_of(Packages{base[0], base[1], {.name = "x"}}),
                                   rpm_database_of(Packages{base[0], base[1], {.name = "c", .architecture = "i686"}})});
  EXPECT_EQ(keys_in(joined), (Strings{"zlib.x86_64", "bash.x86_64", "c.i686", "x.x86_64"}));
}

TEST(RpmDatabase, SamePackagesSameBytes) {
  const auto early = rpm_database_of(Packages{{.name = "a", .installed_at = 1}});
  const auto late = rpm_database_of(Packages{{.name = "a", .installed_at = 2}});
  EXPECT_NE(early, late);
  EXPECT_EQ(reprinted(k_file, early), reprinted(k_file, late));
  EXPECT_EQ(reprinted(k_file, reprinted(k_file, early)), reprinted(k_file, early));
  EXPECT_TRUE(join_texts(k_file, "", {early, late}).conflicts.empty());
}

TEST(RpmDatabase, FillsItsIndexTables) {
  const auto joined = joined_text(k_file, "", {rpm_database_of(Packages{{.name = "a"}, {.name = "b"}})});
  auto database = sql::Database::from_bytes(joined).value();
  auto query = database.prepare("SELECT hnum FROM Name JOIN Packages USING (hnum) WHERE key = 'b'").value();
  ASSERT_TRUE(query.step().value());
  EXPECT_EQ(query.integer(0), 2);
  EXPECT_FALSE(query.step().value());
}

TEST(RpmDatabase, TwoVersionsAreAConflict) {
  const auto result = join_texts(k_file, "",
                                 {rpm_database_of(Packages{{.name = "a", .version = "1"}}),
                                  rpm_database_of(Packages{{.name = "a", .version = "2"}})});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message, "package 'a.x86_64' is version 1-1 in layer 'a' and version 2-1 in layer 'b'");
  EXPECT_EQ(result.conflicts[0].remedies[1],
            "build both layers from one package snapshot, so that both get the same 'a.x86_64'");
}

TEST(RpmDatabase, TheSameVersionWithOtherContentsIsAConflict) {
  const auto result = join_texts(
      k_file, "",
      {rpm_database_of(Packages{{.name = "a"}}), rpm_database_of(Packages{{.name = "a", .file = "/usr/bin/b"}})});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message,
            "package 'a.x86_64' is version 1-1 in layer 'a' and the same with other fields in layer 'b'");
}

TEST(RpmDatabase, ARemovalAgainstAnUpgradeIsAConflict) {
  const auto result =
      join_texts(k_file, rpm_database_of(Packages{{.name = "a", .version = "1"}}),
                 {rpm_database_of(Packages{}), rpm_database_of(Packages{{.name = "a", .version = "2"}})});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message, "package 'a.x86_64' is removed in layer 'a' and version 2-1 in layer 'b'");
}

TEST(RpmDatabase, SigningKeysAndSeveralKernelsUnite) {
  const PackageSketch key1 = {.name = "gpg-pubkey", .version = "aa", .architecture = ""};
  const PackageSketch key2 = {.name = "gpg-pubkey", .version = "bb", .architecture = ""};
  EXPECT_EQ(keys_in(joined_text(k_file, "", {rpm_database_of(Packages{key1}), rpm_database_of(Packages{key2})})),
            (Strings{"gpg-pubkey\naa-1", "gpg-pubkey\nbb-1"}));

  const PackageSketch kernel1 = {.name = "kernel", .version = "1"};
  const PackageSketch kernel2 = {.name = "kernel", .version = "2"};
  const PackageSketch kernel3 = {.name = "kernel", .version = "3"};
  EXPECT_EQ(
      keys_in(joined_text(k_file, rpm_database_of(Packages{kernel1}),
                          {rpm_database_of(Packages{kernel1, kernel2}), rpm_database_of(Packages{kernel1, kernel3})})),
      (Strings{"kernel.x86_64\n1-1", "kernel.x86_64\n2-1", "kernel.x86_64\n3-1"}));
}

TEST(RpmDatabase, OneVersionInOneLayerAndSeveralInAnother) {
  const PackageSketch kernel1 = {.name = "kernel", .version = "1"};
  const PackageSketch kernel2 = {.name = "kernel", .version = "2"};
  const PackageSketch kernel3 = {.name = "kernel", .version = "3"};
  const auto both = rpm_database_of(Packages{kernel1, kernel2});
  EXPECT_EQ(keys_in(joined_text(k_file, "", {both, rpm_database_of(Packages{kernel1})})),
            (Strings{"kernel.x86_64\n1-1", "kernel.x86_64\n2-1"}));
  const auto other = join_texts(k_file, "", {both, rpm_database_of(Packages{kernel3})});
  ASSERT_EQ(other.conflicts.size(), 1U);
  EXPECT_EQ(other.conflicts[0].message,
            "package 'kernel.x86_64' is version 1-1 in layer 'a' and version 3-1 in layer 'b'");
}

TEST(RpmDatabase, RefusesWhatItCannotKeep) {
  const RpmDatabase driver;
  EXPECT_EQ(driver.parse(k_file, "SQLite format 3").error().code(), ErrorCode::corrupt);
  EXPECT_EQ(driver.parse(k_file, std::string(5000, 'x')).error().code(), ErrorCode::corrupt);
  EXPECT_EQ(driver.parse(k_file, rpm_database_of(Strings{"no header"})).error().summary(),
            "reading package 1 of '/var/lib/rpm/rpmdb.sqlite': package header: byte 0: the size is not the one its "
            "preamble says");
  const auto with = [](const std::string& statements) {
    auto database = sql::Database::in_memory().value();
    EXPECT_TRUE(database.execute(statements));
    return database.serialise().value();
  };
  EXPECT_EQ(driver.parse(k_file, with("CREATE TABLE a (b)")).error().code(), ErrorCode::unsupported);
  EXPECT_EQ(driver.parse(k_file, with("CREATE VIEW Packages AS SELECT 1 AS hnum, 2 AS blob")).error().code(),
            ErrorCode::unsupported);
  EXPECT_EQ(driver.parse(k_file, with("CREATE TABLE 'Name' (key 'TEXT')")).error().message(),
            "'/var/lib/rpm/rpmdb.sqlite' is no rpm database: it has no table 'Packages'");
}

TEST(RpmDatabase, AnUnfinishedLogIsAnError) {
  const RpmLog driver;
  const auto file = k_file + "-wal";
  ASSERT_EQ(driver_for(file)->name(), driver.name());
  EXPECT_TRUE(driver.parse(file, "")->empty());
  const auto error = driver.parse(file, "x").error();
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_EQ(error.hint(), "let the layer's last step be 'rpm --rebuilddb', which makes it whole");
}

} // namespace
} // namespace sheaf::join
