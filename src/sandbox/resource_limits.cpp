// SPDX-License-Identifier: Apache-2.0
#include "sandbox/resource_limits.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace sheaf::sandbox {
namespace {

struct Known {
  std::string_view name;
  __rlimit_resource resource;
};
/// The names of docker's --ulimit.
constexpr std::array<Known, 15> k_known = {{{"core", RLIMIT_CORE},
                                            {"cpu", RLIMIT_CPU},
                                            {"data", RLIMIT_DATA},
                                            {"fsize", RLIMIT_FSIZE},
                                            {"locks", RLIMIT_LOCKS},
                                            {"memlock", RLIMIT_MEMLOCK},
                                            {"msgqueue", RLIMIT_MSGQUEUE},
                                            {"nice", RLIMIT_NICE},
                                            {"nofile", RLIMIT_NOFILE},
                                            {"nproc", RLIMIT_NPROC},
                                            {"rss", RLIMIT_RSS},
                                            {"rtprio", RLIMIT_RTPRIO},
                                            {"rttime", RLIMIT_RTTIME},
                                            {"sigpending", RLIMIT_SIGPENDING},
                                            {"stack", RLIMIT_STACK}}};

const Known* find(std::string_view name) {
  const auto* found = std::ranges::find(k_known, name, &Known::name);
  return found == k_known.end() ? nullptr : found;
}

Result<void> check(const ResourceLimit& limit) {
  if (find(limit.name) == nullptr) {
    std::string names;
    for (const auto& known : k_known) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    }
    return Error(ErrorCode::invalid, fmt::format("there is no limit '{}'", limit.name))
        .with_hint(fmt::format("one of {}", names));
  }
  if (limit.soft > limit.hard) {
    return Error(ErrorCode::invalid, fmt::format("limit '{}': the soft value {} is above the hard value {}", limit.name,
                                                 limit.soft, limit.hard));
  }
  return {};
}

std::string value_text(rlim_t value) { return value == RLIM_INFINITY ? "unlimited" : std::to_string(value); }

Result<void> set(const ResourceLimit& limit, int notes) {
  SHEAF_TRY(check(limit));
  const auto resource = find(limit.name)->resource;
  rlimit wanted{limit.soft, limit.hard};
  if (setrlimit(resource, &wanted) == 0) {
    return {};
  }
  rlimit allowed{};
  if (errno != EPERM || getrlimit(resource, &allowed) != 0) {
    return Error::from_errno(errno, fmt::format("setting limit '{}'", limit.name));
  }
  wanted.rlim_max = std::min(wanted.rlim_max, allowed.rlim_max);
  wanted.rlim_cur = std::min(wanted.rlim_cur, wanted.rlim_max);
  if (setrlimit(resource, &wanted) != 0) {
    return Error::from_errno(errno, fmt::format("setting limit '{}'", limit.name));
  }
  const auto line = fmt::format("sheaf: limit '{}' is {}:{} here: more than this user may have was asked for\n",
                                limit.name, value_text(wanted.rlim_cur), value_text(wanted.rlim_max));
  [[maybe_unused]] const auto written = write(notes, line.c_str(), line.size());
  return {};
}

} // namespace

Result<void> check_limits(const std::vector<ResourceLimit>& limits) {
  for (const auto& limit : limits) {
    SHEAF_TRY(check(limit));
  }
  return {};
}

Result<void> set_limits(const std::vector<ResourceLimit>& limits, int notes) {
  for (const auto& limit : limits) {
    SHEAF_TRY(set(limit, notes));
  }
  return {};
}

} // namespace sheaf::sandbox
