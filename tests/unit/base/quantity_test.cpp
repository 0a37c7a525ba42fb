// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Quantity, SizesArePowersOf1024) {
  EXPECT_EQ(parse_size("1024"), 1024U);
  EXPECT_EQ(parse_size("64m"), 64U << 20U);
  EXPECT_EQ(parse_size("1.5GiB"), 3U << 29U);
  EXPECT_EQ(parse_size("20 GB"), std::uint64_t{20} << 30U);
  EXPECT_EQ(parse_size("0"), 0U);
  for (const auto* bad : {"", "m", "-1", "1x", "1mm", "1.2.3", "99999999999999999999", "9999999p"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Quantity, AgesAreHoursDaysOrWeeks) {
  EXPECT_EQ(parse_age("12h"), 12 * 3600);
  EXPECT_EQ(parse_age("7d"), 7 * 24 * 3600);
  EXPECT_EQ(parse_age("2w"), 14 * 24 * 3600);
  EXPECT_EQ(parse_age("0"), 0);
  EXPECT_EQ(parse_age("0d"), 0);
  for (const auto* bad : {"", "d", "7", "-1d", "1m", "7 d", "10001d", "99999999999999999999d"}) {
    EXPECT_FALSE(parse_age(bad)) << bad;
  }
}

} // namespace
} // namespace sheaf
