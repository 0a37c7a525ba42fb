// SPDX-License-Identifier: Apache-2.0
#include "containerfile/duration.hpp"

#include <gtest/gtest.h>

namespace sheaf::containerfile {
namespace {

using std::chrono::nanoseconds;

TEST(Duration, ReadsUnitsAndFractions) {
  EXPECT_EQ(parse_duration("30s"), nanoseconds(30'000'000'000));
  EXPECT_EQ(parse_duration("1m30s"), nanoseconds(90'000'000'000));
  EXPECT_EQ(parse_duration("1.5h"), nanoseconds(5'400'000'000'000));
  EXPECT_EQ(parse_duration("1h2m3s4ms5us6ns"), nanoseconds(3'723'004'005'006));
  EXPECT_EQ(parse_duration("5\xC2\xB5s"), nanoseconds(5'000));
  EXPECT_EQ(parse_duration(".5s"), nanoseconds(500'000'000));
  EXPECT_EQ(parse_duration("-2ms"), nanoseconds(-2'000'000));
  EXPECT_EQ(parse_duration("0"), nanoseconds(0));
  EXPECT_EQ(parse_duration("+0"), nanoseconds(0));
}

TEST(Duration, RefusesAnythingElse) {
  for (const auto* text : {"", "-", "5", "s", ".s", "1x", "1 s", "1s ", "1s2", "3000000h", "1e3s", "--1s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

} // namespace
} // namespace sheaf::containerfile
