// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is going on right now, at the bottom of a terminal: one line per activity with a bar, the time since it began
// and the last thing it said. Redrawn in place; lines that stay are printed above.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sheaf::ui {

struct Activity {
  std::string subject;
  /// Steps, as in Event; 0 of 0 where that cannot be said.
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  /// One line, safe to print.
  std::string last;
  std::chrono::steady_clock::time_point start;
};

/// "layer go         [####------]  3/8   12.3 s  | compiling", at most `columns` wide.
std::string activity_line(const Activity& activity, std::chrono::steady_clock::time_point now, std::size_t columns);

/// Safe from several threads. Starts a thread of its own with the first activity, for the clock.
class LiveDisplay {
public:
  explicit LiveDisplay(int descriptor) : m_descriptor(descriptor) {}
  ~LiveDisplay();
  LiveDisplay(const LiveDisplay&) = delete;
  LiveDisplay& operator=(const LiveDisplay&) = delete;

  void begin(const std::string& subject);
  /// False if there is no such activity.
  bool step(const std::string& subject, std::uint64_t done, std::uint64_t total, const std::string& text);
  bool output(const std::string& subject, const std::string& text);
  void end(const std::string& subject);
  /// Prints a line that stays, with its line break.
  void print(const std::string& line);

private:
  Activity* find(const std::string& subject);
  void tick(const std::stop_token& stop);
  void draw();
  /// The sequence that removes what was drawn.
  std::string erase();

  int m_descriptor;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::vector<Activity> m_activities;
  std::size_t m_drawn = 0; ///< lines
  std::chrono::steady_clock::time_point m_last_draw;
  std::jthread m_clock; ///< ends first
};

} // namespace sheaf::ui
