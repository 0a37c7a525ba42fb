// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a command, answers its watched calls and breaks those that the plan names. Only calls of processes that run the
// command's own program count: the program itself and its helpers, not what these start.

#include "base/result.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "calls.hpp"
#include "filter.hpp"

namespace sheaf::faults {

struct Plan {
  std::vector<std::string> argv;
  Account account;
  /// Nothing: calls are only counted.
  std::optional<Fault> fault;
  /// Which of the calls that can fail so, from 1.
  std::uint64_t nth = 0;
  /// All later ones fail, too, as on a disk that stays full.
  bool onwards = false;
  /// fsync(2) and its kind succeed at once: what is killed here is a process, not the machine.
  bool skip_flushes = false;
  std::chrono::milliseconds limit = std::chrono::seconds(60);
  /// Each call that counts, one a line; may be null.
  std::ostream* trace = nullptr;
};

struct Hit {
  std::string_view call;
  std::string target;
  bool in_helper = false;
};

struct Observed {
  /// How many calls could have failed so, by Fault.
  std::array<std::uint64_t, k_faults.size()> counts{};
  /// The first broken call.
  std::optional<Hit> hit;
  int exit_code = 0;
  int signal = 0;
  /// The command did not end within the limit, and was killed.
  bool hung = false;
  /// Command lines of processes that outlived the command by more than a moment, and were killed.
  std::vector<std::string> left;
};

/// Ends when the command and all its descendants have ended.
Result<Observed> supervise(const Plan& plan);

} // namespace sheaf::faults
