// SPDX-License-Identifier: Apache-2.0
#include "join/ld_so_cache_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sheaf::join {
namespace {

CachedLibrary library(std::string soname, std::string directory = "/lib") {
  auto path = directory + "/" + soname;
  return {std::move(soname), std::move(path), 0x303, 0, 0, {}, 0};
}

TEST(LdSoCacheFile, RoundTrips) {
  LdSoCacheFile file;
  file.libraries = {library("libb.so.2"), library("liba.so.1")};
  file.libraries[0].subdirectory = "x86-64-v3";
  file.libraries[0].isa_level = 3;
  file.libraries[1].hwcap = 1ULL << 40;
  file.libraries[1].os_version = 0x30200;
  file.unused_strings = {"x86-64-v2"};
  file.generator = "ldconfig test";
  const auto bytes = file.print();
  const auto parsed = LdSoCacheFile::parse(bytes);
  ASSERT_TRUE(parsed) << parsed.error().render();
  EXPECT_EQ(parsed->libraries, file.libraries);
  EXPECT_EQ(parsed->unused_strings, file.unused_strings);
  EXPECT_EQ(parsed->generator, file.generator);
  EXPECT_EQ(parsed->print(), bytes);
}

TEST(LdSoCacheFile, SharesTheEndsOfStrings) {
  LdSoCacheFile file;
  file.libraries = {library("liba.so")};
  const auto bytes = file.print();
  EXPECT_EQ(bytes.find("liba.so"), bytes.rfind("liba.so"));
}

TEST(LdSoCacheFile, SurvivesEveryTruncation) {
  LdSoCacheFile file;
  file.libraries = {library("libb.so.2"), library("liba.so.1")};
  file.libraries[0].subdirectory = "x86-64-v3";
  file.generator = "g";
  const auto bytes = file.print();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(LdSoCacheFile::parse(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_EQ(LdSoCacheFile::parse("ld.so-1.7.0....").error().code(), ErrorCode::unsupported);
}

TEST(LdSoCacheFile, OrdersAsLdconfig) {
  const auto before = [](const CachedLibrary& a, const CachedLibrary& b) {
    return compare_libraries(a, b) < 0 && compare_libraries(b, a) > 0;
  };
  EXPECT_TRUE(before(library("libb.so"), library("liba.so")));
  EXPECT_TRUE(before(library("liba.so.10"), library("liba.so.9")));
  EXPECT_TRUE(before(library("liba.so.1"), library("liba.so")));
  EXPECT_TRUE(before(library("lib1.so"), library("liba.so"))); // a digit comes after letters, and all is reversed
  auto other = library("liba.so");
  other.flags = 3;
  EXPECT_TRUE(before(library("liba.so"), other));
  auto special = library("liba.so");
  special.subdirectory = "x86-64-v2";
  auto more_special = special;
  more_special.subdirectory = "x86-64-v3";
  EXPECT_TRUE(before(special, more_special));
  EXPECT_TRUE(before(more_special, library("liba.so")));
  auto bits = library("liba.so");
  bits.hwcap = 3;
  EXPECT_TRUE(before(bits, library("liba.so")));
  auto system = library("liba.so");
  system.os_version = 1;
  EXPECT_TRUE(before(system, library("liba.so")));
  EXPECT_EQ(compare_libraries(library("liba.so.01"), library("liba.so.1")), 0);
  EXPECT_EQ(compare_libraries(library("liba.so", "/a"), library("liba.so", "/b")), 0);
}

} // namespace
} // namespace sheaf::join
