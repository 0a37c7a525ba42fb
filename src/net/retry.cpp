// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include "base/text.hpp"

#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <string>

namespace sheaf::net {
namespace {

/// However much each of them brought: a server that gives a few bytes at a time is no server.
constexpr int k_most_failures = 100;

double random_fraction() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

} // namespace

bool is_temporary_status(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now) {
  constexpr std::int64_t k_longest = 1'000'000'000;
  const auto text = trim(value);
  if (const auto seconds = to_number<std::int64_t>(text)) {
    return std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, k_longest));
  }
  std::tm date{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') {
    return std::nullopt;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(timegm(&date) - now, 0, k_longest));
}

std::chrono::milliseconds delay_after(const RetryPolicy& policy, int failures,
                                      std::optional<std::chrono::seconds> asked_for, double jitter) {
  auto delay = policy.first_delay;
  for (int i = 1; i < failures && delay < policy.longest_delay; ++i) {
    delay *= 2;
  }
  delay = std::min(delay, policy.longest_delay);
  const auto shortened =
      std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * (1 - jitter / 2)));
  return asked_for ? std::max<std::chrono::milliseconds>(shortened, *asked_for) : shortened;
}

bool pause(std::chrono::milliseconds delay, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

bool Retries::wait_after_failure(bool was_progress, std::optional<std::chrono::seconds> asked_for,
                                 std::stop_token stop) {
  ++m_all_failures;
  m_failures_in_a_row = was_progress ? 1 : m_failures_in_a_row + 1;
  const bool is_enough = m_failures_in_a_row >= m_policy.attempts || m_all_failures >= k_most_failures;
  if (is_enough || stop.stop_requested() || asked_for.value_or(std::chrono::seconds(0)) > m_policy.longest_wait) {
    return false;
  }
  return pause(delay_after(m_policy, m_failures_in_a_row, asked_for, random_fraction()), stop);
}

} // namespace sheaf::net
