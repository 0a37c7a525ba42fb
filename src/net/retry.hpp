// SPDX-License-Identifier: Apache-2.0
#pragma once

// When to ask a server again, and after how long. The arithmetic is pure; only `pause` waits.

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

namespace sheaf::net {

struct RetryPolicy {
  /// Attempts in a row that may fail without having brought anything; at least 1.
  int attempts = 5;
  /// Before the second attempt; doubled before each further one.
  std::chrono::milliseconds first_delay{400};
  std::chrono::milliseconds longest_delay{20'000};
  /// A server that wants to be left alone for longer than this is not waited for.
  std::chrono::seconds longest_wait{60};
};

/// Is it worth asking again after this status? 408, 429 and most of 5xx.
bool is_temporary_status(int status);
/// Retry-After (RFC 9110, 10.2.3): seconds, or a date as seen from `now` (seconds since 1970); at least 0.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now);
/// Before attempt `failures` + 1. `jitter` in [0, 1) shortens it by up to a half, so that many clients do not come back
/// together; never shorter than what the server asked for.
std::chrono::milliseconds delay_after(const RetryPolicy& policy, int failures,
                                      std::optional<std::chrono::seconds> asked_for, double jitter);

/// Waits; false, at once, if a stop is requested.
bool pause(std::chrono::milliseconds delay, std::stop_token stop);

/// Counts the failures of one task. Those that brought something forward count less, so that a long transfer survives
/// many broken connections.
class Retries {
public:
  explicit Retries(const RetryPolicy& policy) : m_policy(policy) {}
  /// Counts a failure; false if there have been enough, or the server asks for too long a wait. Else waits, and is
  /// false only if stopped meanwhile.
  bool wait_after_failure(bool was_progress, std::optional<std::chrono::seconds> asked_for, std::stop_token stop);
  int failures() const { return m_all_failures; }

private:
  RetryPolicy m_policy;
  int m_failures_in_a_row = 0;
  int m_all_failures = 0;
};

} // namespace sheaf::net
