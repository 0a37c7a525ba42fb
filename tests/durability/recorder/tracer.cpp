// SPDX-License-Identifier: Apache-2.0
#include "recorder/tracer.hpp"

#include "os/fd.hpp"

#include <fmt/format.h>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <optional>

#include "recorder/calls.hpp"

namespace sheaf::durability {
namespace {

constexpr int k_syscall_stop = SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD
constexpr int k_not_started = 127;

long ask(__ptrace_request request, pid_t thread, std::uintptr_t data) {
  return ptrace(request, thread, nullptr, data); // NOLINT(*-vararg): ptrace(2) has no other form
}

int event_of(int status) { return status >> 16; }

/// Waits until it is traced, asks to be stopped, becomes the program. Runs between fork and exec: nothing else runs.
[[noreturn]] void become(const std::vector<std::string>& command, const os::Fd& ready) {
  char byte = 0;
  if (read(ready.get(), &byte, 1) != 1 || !stop_at_calls()) {
    _exit(k_not_started);
  }
  std::vector<char*> words;
  std::transform(command.begin(), command.end(), std::back_inserter(words),
                 [](const std::string& text) { return const_cast<char*>(text.c_str()); });
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(k_not_started);
}

class Tracer {
public:
  Tracer(pid_t program, Recorder& recorder) : m_program(program), m_recorder(recorder) {}

  Result<int> run() {
    for (;;) {
      int status = 0;
      const auto thread = waitpid(-1, &status, __WALL);
      if (thread < 0 && errno == ECHILD) {
        return m_code;
      }
      if (thread < 0 && errno != EINTR) {
        return Error::from_errno(errno, "waiting for traced processes");
      }
      if (thread > 0) {
        SHEAF_TRY(handle(thread, status));
      }
    }
  }

private:
  Result<void> handle(pid_t thread, int status) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread == m_program) {
        m_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      return gone(thread);
    }
    const int number = WSTOPSIG(status);
    if (number == k_syscall_stop) {
      return returned(thread);
    }
    switch (event_of(status)) {
    case 0:
      ask(PTRACE_CONT, thread, static_cast<std::uintptr_t>(number)); // a signal of its own
      return {};
    case PTRACE_EVENT_SECCOMP:
      return called(thread);
    case PTRACE_EVENT_STOP:
      // SIGTRAP is how a new thread begins; anything else is a program that somebody stopped.
      ask(number == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN, thread, 0);
      return {};
    default:
      ask(PTRACE_CONT, thread, 0);
      return {};
    }
  }

  /// A thread is about to make one of the calls.
  Result<void> called(pid_t thread) {
    struct __ptrace_syscall_info info {};
    // NOLINTNEXTLINE(*-vararg): as above
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) {
      return {}; // it was killed at this moment
    }
    std::array<std::uint64_t, 6> arguments{};
    std::copy_n(std::begin(info.seccomp.args), arguments.size(), arguments.begin());
    auto pending = m_recorder.look_at(thread, info.seccomp.nr, arguments);
    if (!pending) {
      ask(PTRACE_CONT, thread, 0);
      return {};
    }
    m_waiting.push_back(std::move(*pending));
    return next();
  }

  Result<void> next() {
    while (!m_running && !m_waiting.empty()) {
      m_running = std::move(m_waiting.front());
      m_waiting.pop_front();
      SHEAF_TRY(m_recorder.before(*m_running));
      if (ask(PTRACE_SYSCALL, m_running->thread, 0) != 0) {
        m_running.reset(); // it was killed while it waited; its end is reported later
      }
    }
    return {};
  }

  Result<void> returned(pid_t thread) {
    struct __ptrace_syscall_info info {};
    // NOLINTNEXTLINE(*-vararg): as above
    const bool known = ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0;
    if (m_running && m_running->thread == thread) {
      if (known) {
        SHEAF_TRY(m_recorder.after(*m_running, info.exit.rval));
      }
      m_running.reset();
    }
    ask(PTRACE_CONT, thread, 0);
    return next();
  }

  Result<void> gone(pid_t thread) {
    std::erase_if(m_waiting, [&](const Pending& pending) { return pending.thread == thread; });
    if (m_running && m_running->thread == thread) {
      m_running.reset();
    }
    return next();
  }

  pid_t m_program;
  Recorder& m_recorder;
  int m_code = k_not_started;
  std::optional<Pending> m_running;
  std::deque<Pending> m_waiting;
};

} // namespace

Result<int> trace(const std::vector<std::string>& command, Recorder& recorder) {
  SHEAF_TRY_ASSIGN(auto ready, os::Pipe::create());
  const auto program = fork();
  if (program < 0) {
    return Error::from_errno(errno, "starting the program");
  }
  if (program == 0) {
    become(command, ready.read);
  }
  constexpr auto k_options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
                             PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEVFORK;
  if (ask(PTRACE_SEIZE, program, k_options) != 0) {
    return Error::from_errno(errno, "tracing the program");
  }
  SHEAF_TRY(os::write_all(ready.write, "."));
  return Tracer(program, recorder).run();
}

} // namespace sheaf::durability
