// SPDX-License-Identifier: Apache-2.0
#pragma once

// A child process. The parent has threads, so nothing of ours runs between clone and exec (posix_spawn): a child that
// must prepare something is our own program again, with a hidden first argument.

#include "os/fd.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::os {

/// How a process ended: one of the two is set.
struct ExitStatus {
  int code = 0;
  /// 0 if it was not killed.
  int signal = 0;
  bool ok() const { return code == 0 && signal == 0; }
  /// "exit code 2" or "killed by signal 9 (Killed)".
  std::string to_string() const;
  /// As a shell says it: the code, or 128 + signal.
  int as_shell() const { return signal != 0 ? 128 + signal : code; }
};

struct SpawnOptions {
  std::vector<std::string> argv;
  /// "NAME=value"; nothing means the environment of this process.
  std::optional<std::vector<std::string>> environment;
  /// (descriptor of ours, number in the child); 0, 1 and 2 are inherited unless they are listed.
  std::vector<std::pair<int, int>> descriptors;
  /// A session of its own, so that the terminal's signals do not reach it.
  bool new_session = false;
  /// The signals that end programs (SIGINT, SIGQUIT, SIGTERM, SIGHUP) wait until the child says what they are to it:
  /// one that ignores them is not to die of a Ctrl-C in its first moments.
  bool holds_signals = false;
};

/// Killed (SIGKILL) and reaped on destruction if it still runs.
class [[nodiscard]] Child {
public:
  /// argv[0] is looked up in PATH. `not_found` if there is no such program. A child whose end we could not wait for is
  /// killed, and an error.
  static Result<Child> spawn(const SpawnOptions& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  int pid() const { return m_pid; }
  /// Waits for the end. On a stop request sends SIGTERM, after `grace` SIGKILL, and still returns the status.
  Result<ExitStatus> wait(std::stop_token stop = {}, std::chrono::milliseconds grace = std::chrono::milliseconds(500));

private:
  Child(int pid, Fd pidfd) : m_pid(pid), m_pidfd(std::move(pidfd)) {}
  int m_pid = -1;
  Fd m_pidfd;
};

/// The program that runs now, for spawning ourselves again.
std::string own_program();
/// The path of `program` in PATH, if it is there.
std::optional<std::string> find_program(const std::string& program);

} // namespace sheaf::os
