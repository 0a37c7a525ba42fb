// SPDX-License-Identifier: Apache-2.0
#pragma once

// A time limit for what takes a stop token.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace sheaf::app {

/// Asks for a stop when the caller does, or when the time is up.
class Deadline {
public:
  Deadline(std::chrono::seconds limit, const std::stop_token& caller)
      : m_from_caller(caller, [this] { m_stop.request_stop(); }),
        m_timer([this, limit](const std::stop_token& over) { wait(limit, over); }) {}

  std::stop_token token() const { return m_stop.get_token(); }

private:
  void wait(std::chrono::seconds limit, const std::stop_token& over) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, over, limit, [] { return false; });
    if (!over.stop_requested()) {
      m_stop.request_stop();
    }
  }

  std::stop_source m_stop;
  std::stop_callback<std::function<void()>> m_from_caller;
  std::jthread m_timer; ///< ends first
};

} // namespace sheaf::app
