// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ctrl-C, SIGTERM and SIGHUP as a stop request, unless who started us had them ignored. The second one ends the process
// at once (one within 20 ms of the first is the same request, sent twice); everything it started goes with it, because
// children are told to die with their parent.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <stop_token>
#include <thread>
#include <vector>

namespace sheaf::cli {

/// One per process. Until watch() is called signals have their default effect: nothing is under way that needs more.
class Interrupts {
public:
  Interrupts() = default;
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  std::stop_token token() const { return m_source.get_token(); }
  /// Starts to turn signals into stop requests. Makes a thread: enter a user namespace before.
  Result<void> watch();
  /// From here on the terminal's signals are for the command that runs in the environment; SIGTERM still stops us.
  static void leave_keyboard_to_command();

private:
  std::stop_source m_source;
  os::Pipe m_pipe;
  std::jthread m_thread;
  std::vector<int> m_watched;
};

} // namespace sheaf::cli
