// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace sheaf::cli {
namespace {

// A signal handler can reach nothing but globals. request_stop() runs callbacks and takes locks, which a handler must
// not; so it only writes a byte, and the thread that reads it asks.
std::atomic<int> g_wake{-1};
std::atomic<int> g_signals{0};

void on_signal(int number) {
  const int saved = errno;
  if (g_signals.fetch_add(1) > 0) {
    signal(number, SIG_DFL);
    raise(number);
  }
  const char byte = 1;
  [[maybe_unused]] const auto written = write(g_wake.load(), &byte, 1);
  errno = saved;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | SA_NODEFER;
  sigaction(number, &action, nullptr);
}

} // namespace

Result<void> Interrupts::watch() {
  if (m_thread.joinable()) {
    return {};
  }
  SHEAF_TRY_ASSIGN(m_pipe, os::Pipe::create());
  g_wake = m_pipe.write.get();
  m_thread = std::jthread([this] {
    char byte = 0;
    while (::read(m_pipe.read.get(), &byte, 1) == 1) {
      m_source.request_stop();
    }
  });
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    handle(number, on_signal);
  }
  return {};
}

Interrupts::~Interrupts() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    handle(number, SIG_DFL);
  }
  g_wake = -1;
  ignore(m_pipe.write.close(), "ending the thread that waits for signals");
}

void Interrupts::leave_keyboard_to_command() {
  handle(SIGINT, SIG_IGN);
  handle(SIGQUIT, SIG_IGN);
}

} // namespace sheaf::cli
