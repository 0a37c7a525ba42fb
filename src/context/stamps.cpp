// SPDX-License-Identifier: Apache-2.0
#include "context/stamps.hpp"

#include <ctime>

namespace sheaf::context {
namespace {

constexpr std::int64_t k_second = 1'000'000'000;
/// A file system stamps a change with the time of the last tick, at worst 10 ms ago; one that counts in seconds is
/// known by its stamps.
constexpr std::int64_t k_tick = 20'000'000;

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * k_second + time.tv_nsec; }

} // namespace

os::FileStamp stamp_of(const struct stat& info) {
  return {info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

bool is_racy(const os::FileStamp& stamp, std::int64_t read_at) {
  const auto tick = stamp.ctime_ns % k_second == 0 ? 2 * k_second : k_tick;
  return stamp.ctime_ns + tick >= read_at;
}

} // namespace sheaf::context
