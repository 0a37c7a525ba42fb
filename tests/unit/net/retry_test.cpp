// SPDX-License-Identifier: Apache-2.0
#include "net/request.hpp"
#include "net/retry.hpp"

#include <gtest/gtest.h>

namespace sheaf::net {
namespace {

using namespace std::chrono_literals;

TEST(Retry, DelaysGrowUpToALimit) {
  const RetryPolicy policy{5, 100ms, 1000ms, 60s};
  EXPECT_EQ(delay_after(policy, 1, {}, 0), 100ms);
  EXPECT_EQ(delay_after(policy, 2, {}, 0), 200ms);
  EXPECT_EQ(delay_after(policy, 4, {}, 0), 800ms);
  EXPECT_EQ(delay_after(policy, 5, {}, 0), 1000ms);
  EXPECT_EQ(delay_after(policy, 1'000'000, {}, 0), 1000ms);
}

TEST(Retry, JitterShortensByUpToAHalf) {
  const RetryPolicy policy{5, 100ms, 1000ms, 60s};
  EXPECT_EQ(delay_after(policy, 1, {}, 0.5), 75ms);
  EXPECT_GE(delay_after(policy, 1, {}, 0.999), 50ms);
}

TEST(Retry, TheServersWishIsKept) {
  const RetryPolicy policy{5, 100ms, 1000ms, 60s};
  EXPECT_EQ(delay_after(policy, 1, 7s, 0.9), 7s);
  EXPECT_EQ(delay_after(policy, 1, 0s, 0), 100ms);
}

TEST(Retry, RetryAfterIsANumberOrADate) {
  EXPECT_EQ(parse_retry_after("120", 0), 120s);
  EXPECT_EQ(parse_retry_after(" 0 ", 0), 0s);
  EXPECT_EQ(parse_retry_after("-5", 0), 0s);
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1445412470), 10s);
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1500000000), 0s);
  EXPECT_EQ(parse_retry_after("", 0), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", 0), std::nullopt);
}

TEST(Retry, StatusesThatPass) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(is_temporary_status(status)) << status;
  }
  for (const int status : {200, 206, 301, 400, 401, 403, 404, 416, 501, 505}) {
    EXPECT_FALSE(is_temporary_status(status)) << status;
  }
}

TEST(Retry, FailuresWithoutProgressAreCounted) {
  Retries retries({3, 0ms, 0ms, 60s});
  EXPECT_TRUE(retries.wait_after_failure(false, {}, {}));
  EXPECT_TRUE(retries.wait_after_failure(false, {}, {}));
  EXPECT_TRUE(retries.wait_after_failure(true, {}, {})); // begins to count anew
  EXPECT_TRUE(retries.wait_after_failure(false, {}, {}));
  EXPECT_FALSE(retries.wait_after_failure(false, {}, {}));
  EXPECT_FALSE(Retries({3, 0ms, 0ms, 60s}).wait_after_failure(false, 61s, {}));
}

TEST(Retry, ProgressHasALimitToo) {
  Retries retries({3, 0ms, 0ms, 60s});
  while (retries.wait_after_failure(true, {}, {})) {
  }
  EXPECT_EQ(retries.failures(), 100);
}

TEST(Retry, AStopEndsTheWaiting) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(pause(1h, stop.get_token()));
  EXPECT_FALSE(Retries({3, 1h, 1h, 60s}).wait_after_failure(false, {}, stop.get_token()));
}

TEST(Request, SecretsAreBlottedOut) {
  EXPECT_EQ(redacted("a secret and sec%3Aret; abc", {"secret", "sec:ret", "abc", ""}), "a *** and ***; abc");
}

TEST(Request, HeadersAreSetOnce) {
  Headers headers{{"a", "1"}, {"b", "2"}};
  set_header(headers, "a", "3");
  EXPECT_EQ(headers, (Headers{{"b", "2"}, {"a", "3"}}));
  set_header(headers, "b", "");
  EXPECT_EQ(headers, (Headers{{"a", "3"}}));
}

} // namespace
} // namespace sheaf::net
