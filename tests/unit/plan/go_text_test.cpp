// SPDX-License-Identifier: Apache-2.0
#include "plan/go_text.hpp"

#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

TEST(GoText, Lists) {
  EXPECT_EQ(quoted_list({"a", "b \"c\"\n\\\x01"}), R"(["a" "b \"c\"\n\\\x01"])");
  EXPECT_EQ(quoted_list({}), "[]");
  EXPECT_EQ(plain_list({"/a", "/b"}), "[/a /b]");
}

TEST(GoText, Durations) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(999), "999ns");
  EXPECT_EQ(duration_text(1'500), "1.5µs");
  EXPECT_EQ(duration_text(300'000'000), "300ms");
  EXPECT_EQ(duration_text(1'500'000'000), "1.5s");
  EXPECT_EQ(duration_text(90'000'000'000), "1m30s");
  EXPECT_EQ(duration_text(3'600'000'000'000), "1h0m0s");
}

TEST(GoText, Healthchecks) {
  EXPECT_EQ(healthcheck_text({{"CMD-SHELL", "x y"}, 30'000'000'000, 0, 0, 0, 3}),
            "{Test:[CMD-SHELL x y] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3}");
}

} // namespace
} // namespace sheaf::plan
