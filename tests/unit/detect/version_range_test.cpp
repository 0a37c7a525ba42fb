// SPDX-License-Identifier: Apache-2.0
#include "detect/version_range.hpp"

#include <gtest/gtest.h>

namespace sheaf::detect {
namespace {

bool allows(std::string_view range, std::string_view version) {
  const auto parsed = VersionRange::parse(range);
  EXPECT_TRUE(parsed.has_value()) << range;
  return parsed && parsed->allows(version);
}

std::string least(std::string_view range) {
  const auto parsed = VersionRange::parse(range);
  EXPECT_TRUE(parsed.has_value()) << range;
  return parsed ? to_string(parsed->least()) : "";
}

TEST(VersionRange, APlainVersionStandsForAllThatStartSo) {
  EXPECT_TRUE(allows("18", "18.19.0"));
  EXPECT_TRUE(allows("18.x", "18.19"));
  EXPECT_TRUE(allows("==3.11.*", "3.11.2"));
  EXPECT_FALSE(allows("18", "20"));
  EXPECT_FALSE(allows("1.2", "1.20"));
  EXPECT_TRUE(allows("*", "7"));
  EXPECT_TRUE(allows("", "7"));
  EXPECT_TRUE(allows("v20.11.0", "20.11.0"));
}

TEST(VersionRange, WhatIsNotKnownOfAVersionDoesNotSpeakAgainstIt) {
  EXPECT_TRUE(allows("3.11.4", "3.11"));
  EXPECT_TRUE(allows(">=18.17", "18"));
  EXPECT_TRUE(allows(">18.17", "18"));
  EXPECT_TRUE(allows("<18.17", "18"));
  EXPECT_TRUE(allows("!=3.9.7", "3.9"));
  EXPECT_FALSE(allows("<4.0", "4"));
  EXPECT_FALSE(allows("3.12.1", "3.11"));
}

TEST(VersionRange, Comparisons) {
  EXPECT_TRUE(allows(">=18", "20"));
  EXPECT_FALSE(allows(">=18", "16"));
  EXPECT_TRUE(allows("> 18", "19"));
  EXPECT_FALSE(allows(">18", "18.1"));
  EXPECT_TRUE(allows("<=18", "18.9"));
  EXPECT_FALSE(allows("<18", "18.9"));
  EXPECT_TRUE(allows(">=3.8,<4,!=3.9.*", "3.10"));
  EXPECT_FALSE(allows(">=3.8,<4,!=3.9.*", "3.9.1"));
  EXPECT_FALSE(allows(">=3.8, <3.11", "3.11"));
  EXPECT_TRUE(allows(">=16 <19", "18"));
}

TEST(VersionRange, CaretsTildesAndHyphens) {
  EXPECT_TRUE(allows("^18.2", "18.19"));
  EXPECT_FALSE(allows("^18.2", "19"));
  EXPECT_FALSE(allows("^18.2", "18.1"));
  EXPECT_TRUE(allows("^0.2.3", "0.2.9"));
  EXPECT_FALSE(allows("^0.2.3", "0.3.0"));
  EXPECT_FALSE(allows("^0.0.3", "0.0.4"));
  EXPECT_TRUE(allows("~1.2.3", "1.2.9"));
  EXPECT_FALSE(allows("~1.2.3", "1.3"));
  EXPECT_TRUE(allows("~1", "1.9"));
  EXPECT_TRUE(allows("~=3.8", "3.11"));
  EXPECT_FALSE(allows("~=3.8.1", "3.9"));
  EXPECT_TRUE(allows("16 - 18", "18.5"));
  EXPECT_FALSE(allows("16 - 18", "19"));
}

TEST(VersionRange, Alternatives) {
  EXPECT_TRUE(allows("^16 || ^18 || >=20", "18.1"));
  EXPECT_FALSE(allows("^16||^18||>=20", "19"));
  EXPECT_TRUE(allows("16.x || >=18.0.0", "22"));
}

TEST(VersionRange, NamesAreNoRanges) {
  for (const auto* name : {"lts/iron", "lts/*", "node", "stable", "nightly-2024-01-01", "system", "pypy3.10-7.3.12",
                           "default", ">=", "~=3", "1.2 foo", "%", "1_2", ">=lts", "!=*", "99999999999"}) {
    EXPECT_FALSE(VersionRange::parse(name).has_value()) << name;
  }
}

TEST(VersionRange, LeastIsTheLowerEndOfTheFirstAlternative) {
  EXPECT_EQ(least(">=20.9 || 18"), "20.9");
  EXPECT_EQ(least("^18.2"), "18.2");
  EXPECT_EQ(least(">=3.8,<4"), "3.8");
  EXPECT_EQ(least(">=1,>=2"), "2");
  EXPECT_EQ(least("<4"), "");
  EXPECT_EQ(least("*"), "");
}

TEST(PlainVersion, DropsWhatToolsPutAround) {
  EXPECT_EQ(plain_version("v20.11.0"), "20.11.0");
  EXPECT_EQ(plain_version("go1.22.3"), "1.22.3");
  EXPECT_EQ(plain_version("1.22rc1"), "1.22rc1");
  EXPECT_EQ(plain_version("21.0.0-rc.1"), "21.0.0-rc.1");
  EXPECT_EQ(plain_version("temurin-17.0.6+10"), "17.0.6");
  EXPECT_EQ(plain_version("adoptopenjdk-jre-11.0.2+9"), "11.0.2");
  EXPECT_EQ(plain_version("openjdk64-17.0.2"), "17.0.2");
  EXPECT_EQ(plain_version("1.75-x86_64-unknown-linux-gnu"), "1.75");
  EXPECT_EQ(plain_version("pypy3.10-7.3.12"), std::nullopt);
  EXPECT_EQ(plain_version("18.x"), std::nullopt);
  EXPECT_EQ(plain_version(">=18"), std::nullopt);
  EXPECT_EQ(plain_version("lts/iron"), std::nullopt);
  EXPECT_EQ(plain_version(""), std::nullopt);
}

TEST(Disagree, OnlyWhenNoVersionCanBeBoth) {
  EXPECT_FALSE(disagree(">=18", "20.11.0"));
  EXPECT_TRUE(disagree("18", "20"));
  EXPECT_TRUE(disagree(">=18", "<17"));
  EXPECT_FALSE(disagree(">=3.8", ">=3.11"));
  EXPECT_FALSE(disagree("lts/iron", "18"));
  EXPECT_FALSE(disagree("<4", "3.11"));
}

} // namespace
} // namespace sheaf::detect
