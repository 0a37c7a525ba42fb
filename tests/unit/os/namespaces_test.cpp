// SPDX-License-Identifier: Apache-2.0
#include "os/namespaces.hpp"

#include <gtest/gtest.h>

namespace sheaf::os {
namespace {

TEST(LargestRange, TakesTheLargestOfNameAndNumber) {
  const auto range = largest_range("dev:100000:65536\n1000:300000:70000\ndev:200000:10\nother:0:999999\n", "dev", 1000);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 300000U);
  EXPECT_EQ(range->count, 70000U);
}

TEST(LargestRange, OfEqualOnesTheFirst) { EXPECT_EQ(largest_range("dev:5:10\ndev:50:10", "dev", 1)->first, 5U); }

TEST(LargestRange, SkipsLinesThatAreNone) {
  EXPECT_EQ(largest_range("# dev:1:2\n\ndev:1\ndev:x:2\ndev:1:2:3\ndev:1:4294967296\ndev:-1:5\n", "dev", 1000),
            std::nullopt);
  EXPECT_EQ(largest_range("", "dev", 1000), std::nullopt);
  EXPECT_EQ(largest_range("  dev:7:8 \r\n", "dev", 1000)->first, 7U);
}

TEST(LargestRange, DoesNotTakeSomebodyElses) {
  EXPECT_EQ(largest_range("developer:1:2\n10000:1:2\n", "dev", 1000), std::nullopt);
}

} // namespace
} // namespace sheaf::os
