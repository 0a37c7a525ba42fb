// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace sheaf::cli {
namespace {

// A signal handler can reach nothing but globals. request_stop() runs callbacks and takes locks, which a handler must
// not; so it only writes a byte, and the thread that reads it asks.
std::atomic<int> g_wake{-1};
std::atomic<std::int64_t> g_first_ms{0}; ///< when the first came; 0 before

/// timeout(1), npm and others send a signal to us and to our group: that is one request.
constexpr std::int64_t k_same_request_ms = 20;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + 1;
}

void on_signal(int number) {
  const int saved = errno;
  std::int64_t first = 0;
  const auto now = now_ms();
  if (!g_first_ms.compare_exchange_strong(first, now) && now - first > k_same_request_ms) {
    signal(number, SIG_DFL);
    raise(number);
    constexpr int k_of_signal = 128;
    _exit(k_of_signal + number); // the first process of a PID namespace does not die of its own signals
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
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) { // as nohup(1) has it
      handle(number, on_signal);
      m_watched.push_back(number);
    }
  }
  return {};
}

Interrupts::~Interrupts() {
  for (const int number : m_watched) {
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
