// SPDX-License-Identifier: Apache-2.0
#include "ui/date.hpp"

#include <fmt/format.h>

#include <ctime>

namespace sheaf::ui {

std::string date(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min);
}

} // namespace sheaf::ui
