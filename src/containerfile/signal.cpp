// SPDX-License-Identifier: Apache-2.0
#include "containerfile/signal.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace sheaf::containerfile {
namespace {

constexpr unsigned k_last_signal = 64;

// signal(7), the names of Linux.
constexpr std::array<std::string_view, 37> k_names = {
    "ABRT", "ALRM", "BUS",  "CHLD", "CLD",    "CONT",  "FPE",    "HUP",  "ILL",   "INT",   "IO",    "IOT",  "KILL",
    "PIPE", "POLL", "PROF", "PWR",  "QUIT",   "SEGV",  "STKFLT", "STOP", "SYS",   "TERM",  "TRAP",  "TSTP", "TTIN",
    "TTOU", "URG",  "USR1", "USR2", "VTALRM", "WINCH", "XCPU",   "XFSZ", "RTMIN", "RTMAX", "UNUSED"};

/// "RTMIN+3", "RTMAX-14": real-time signals are 34 to 64.
bool is_real_time(std::string_view name) {
  const auto offset = to_number<unsigned>(name.substr(std::min<std::size_t>(name.size(), 6)));
  return (name.starts_with("RTMIN+") && offset && *offset <= 15) ||
         (name.starts_with("RTMAX-") && offset && *offset <= 14);
}

} // namespace

bool is_signal(std::string_view text) {
  if (const auto number = to_number<unsigned>(text)) {
    return *number >= 1 && *number <= k_last_signal;
  }
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  std::string_view name = upper;
  if (name.starts_with("SIG")) {
    name.remove_prefix(3);
  }
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end() || is_real_time(name);
}

} // namespace sheaf::containerfile
