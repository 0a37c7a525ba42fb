// SPDX-License-Identifier: Apache-2.0
#include "join/apk_scripts.hpp"
#include "join/gzip.hpp"

#include <fmt/format.h>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

const std::string k_file(k_apk_scripts_files[0]);
const std::string k_end(1024, '\0');

/// A member as apk writes it: "ustar  ", seven digits and a blank as the checksum.
std::string member(std::string name, const std::string& data, unsigned time = 0, char type = '0') {
  std::string header;
  const auto put = [&](std::string text, std::size_t size) {
    text.resize(size);
    header += text;
  };
  put(std::move(name), 100);
  put("0000755", 8);
  put("0000000", 8);
  put("0000000", 8);
  put(fmt::format("{:011o}", data.size()), 12);
  put(fmt::format("{:011o}", time), 12);
  put("        ", 8);
  put(std::string(1, type), 1);
  put("", 100);
  put("ustar  ", 8);
  put("root", 32);
  put("root", 32);
  header.resize(512);
  unsigned sum = 0;
  for (const unsigned char c : header) {
    sum += c;
  }
  header.replace(148, 7, fmt::format("{:07o}", sum));
  auto padded = data;
  padded.resize((data.size() + 511) / 512 * 512);
  return header + padded;
}

std::string name_of(char package) { return fmt::format("{}-1.0-r0.Q1abc=.post-install", package); }

TEST(ApkScripts, UnitesMembers) {
  const auto base = member(name_of('b'), "#!/bin/sh\n");
  const auto joined = joined_text(
      k_file, base + k_end,
      {base + member(name_of('c'), std::string(600, 'c')) + k_end, base + member(name_of('a'), "") + k_end});
  const auto records = ApkScripts().parse(k_file, joined).value();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, name_of('b'));
  EXPECT_EQ(records[1].key, name_of('a'));
  EXPECT_EQ(records[2].key, name_of('c'));
  EXPECT_EQ(records[2].value.substr(512, 600), std::string(600, 'c'));
  EXPECT_TRUE(joined.ends_with(k_end));
  EXPECT_EQ(joined.size(), 512U * (2 + 1 + 3) + 1024U);
}

/// apk 2 writes every member anew with the time of the transaction.
TEST(ApkScripts, TimesSayNothing) {
  const auto early = member(name_of('b'), "x", 1) + k_end;
  const auto late = member(name_of('b'), "x", 2) + k_end;
  EXPECT_EQ(reprinted(k_file, early), reprinted(k_file, late));
  EXPECT_TRUE(facts_of({{k_file, early}}, {{k_file, late}}).changes.empty());
}

TEST(ApkScripts, LongNames) {
  const auto name = std::string(150, 'n') + "-1-r0.Q1abc=.trigger";
  const auto archive = member("././@LongLink", name + '\0', 5, 'L') + member(name.substr(0, 100), "data") + k_end;
  const auto records = ApkScripts().parse(k_file, archive).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, name);
  EXPECT_EQ(ApkScripts().parse(k_file, reprinted(k_file, archive)).value(), records);
}

TEST(ApkScripts, CompressedOnes) {
  const std::string file(k_apk_scripts_files[2]);
  const auto base = member(name_of('b'), "x");
  const auto joined = joined_text(
      file, gzip_stored(base + k_end),
      {gzip_stored(base + member(name_of('c'), "y") + k_end), gzip_stored(base + member(name_of('a'), "z") + k_end)});
  EXPECT_EQ(gunzip(joined).value(), reprinted(k_file, base + member(name_of('a'), "z") + member(name_of('c'), "y")));
  EXPECT_EQ(ApkScripts().parse(file, base + k_end).error().summary(),
            "'/lib/apk/db/scripts.tar.gz': byte 2: no gzip file, or a damaged one");
}

TEST(ApkScripts, AnEmptyArchiveIsOne) {
  EXPECT_TRUE(ApkScripts().parse(k_file, "")->empty());
  EXPECT_TRUE(ApkScripts().parse(k_file, k_end)->empty());
  EXPECT_TRUE(ApkScripts().parse(k_file, std::string(512, '\0'))->empty());
}

TEST(ApkScripts, RefusesDamage) {
  const ApkScripts driver;
  const auto message = [&](const std::string& archive) { return driver.parse(k_file, archive).error().message(); };
  const auto good = member(name_of('a'), "data");
  EXPECT_EQ(message(good + "x"), "'/lib/apk/db/scripts.tar': byte 1024: the archive ends inside a header");
  EXPECT_EQ(message(good.substr(0, 512)),
            "'/lib/apk/db/scripts.tar': byte 0: a member that is longer than the archive");
  EXPECT_EQ(message(good + k_end + good),
            "'/lib/apk/db/scripts.tar': byte 1024: there is something after the end of the archive");
  auto flipped = good;
  flipped[0] = 'x';
  EXPECT_EQ(message(flipped), "'/lib/apk/db/scripts.tar': byte 0: a header with a wrong checksum");
  EXPECT_EQ(message(member("", "x")), "'/lib/apk/db/scripts.tar': byte 0: a member without a proper name");
  EXPECT_EQ(driver.parse(k_file, member("link", "", 0, '2')).error().code(), ErrorCode::unsupported);
}

} // namespace
} // namespace sheaf::join
