// SPDX-License-Identifier: Apache-2.0
#include "ui/live_display.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace sheaf::ui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto k_tick = std::chrono::milliseconds(200);
/// Redrawn no more often than this, whatever is said.
constexpr auto k_pause = std::chrono::milliseconds(60);
constexpr std::size_t k_bar = 10;

std::size_t columns_of(int descriptor) {
  winsize size{};
  constexpr std::size_t k_usual = 80;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : k_usual;
}

std::size_t rows_of(int descriptor) {
  winsize size{};
  constexpr std::size_t k_usual = 24;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : k_usual;
}

std::string bar(const Activity& activity) {
  if (activity.total == 0) {
    return std::string(k_bar + 2, ' ');
  }
  // A step that runs is not done yet.
  const auto done = activity.done > 0 ? std::min(activity.done - 1, activity.total) : 0;
  const auto filled = static_cast<std::size_t>(done * k_bar / activity.total);
  return fmt::format("[{}{}]", std::string(filled, '#'), std::string(k_bar - filled, '-'));
}

std::string elapsed(std::chrono::milliseconds time) {
  const auto seconds = static_cast<double>(time.count()) / 1000;
  constexpr double k_minute = 60;
  return seconds < k_minute ? fmt::format("{:.1f} s", seconds)
                            : fmt::format("{:.0f} min {:02.0f} s", std::floor(seconds / k_minute),
                                          std::floor(std::fmod(seconds, k_minute)));
}

/// By characters; what is wider than one column on a terminal is rare in what builds print.
std::string cut(const std::string& text, std::size_t columns) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U; // UTF-8
    width += begins ? 1 : 0;
    if (width > columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

void put(int descriptor, const std::string& text) {
  [[maybe_unused]] const auto written = ::write(descriptor, text.data(), text.size());
}

} // namespace

std::string activity_line(const Activity& activity, Clock::time_point now, std::size_t columns) {
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(now - activity.start);
  const auto count = activity.total > 0 ? fmt::format("{}/{}", activity.done, activity.total) : "";
  const auto line = fmt::format("{:<16} {} {:>7} {:>8}  {}", activity.subject, bar(activity), count, elapsed(time),
                                activity.last.substr(0, activity.last.find('\n')));
  return cut(line.substr(0, line.find_last_not_of(' ') + 1), columns);
}

LiveDisplay::~LiveDisplay() {
  m_clock = {};
  const std::scoped_lock lock(m_mutex);
  put(m_descriptor, erase());
}

Activity* LiveDisplay::find(const std::string& subject) {
  const auto found = std::ranges::find(m_activities, subject, &Activity::subject);
  return found != m_activities.end() ? &*found : nullptr;
}

void LiveDisplay::begin(const std::string& subject) {
  const std::scoped_lock lock(m_mutex);
  if (find(subject) == nullptr) {
    m_activities.push_back({subject, 0, 0, {}, Clock::now()});
  }
  if (!m_clock.joinable()) {
    m_clock = std::jthread([this](const std::stop_token& stop) { tick(stop); });
  }
  draw();
}

bool LiveDisplay::step(const std::string& subject, std::uint64_t done, std::uint64_t total, const std::string& text) {
  const std::scoped_lock lock(m_mutex);
  auto* activity = find(subject);
  if (activity == nullptr) {
    return false;
  }
  activity->done = done;
  activity->total = total;
  activity->last = text;
  draw();
  return true;
}

bool LiveDisplay::output(const std::string& subject, const std::string& text) {
  const std::scoped_lock lock(m_mutex);
  auto* activity = find(subject);
  if (activity == nullptr) {
    return false;
  }
  activity->last = "| " + text;
  if (Clock::now() - m_last_draw >= k_pause) {
    draw();
  }
  return true;
}

void LiveDisplay::end(const std::string& subject) {
  const std::scoped_lock lock(m_mutex);
  std::erase_if(m_activities, [&subject](const Activity& activity) { return activity.subject == subject; });
  draw();
}

void LiveDisplay::print(const std::string& line) {
  const std::scoped_lock lock(m_mutex);
  put(m_descriptor, erase() + line + "\n");
  draw();
}

void LiveDisplay::tick(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    m_changed.wait_for(lock, stop, k_tick, [] { return false; });
    if (!stop.stop_requested() && !m_activities.empty()) {
      draw();
    }
  }
}

std::string LiveDisplay::erase() {
  const auto lines = std::exchange(m_drawn, 0);
  return lines > 0 ? fmt::format("\r\x1b[{}A\x1b[J", lines) : "";
}

/// Never more lines than the terminal has, or going back up would miss the first of them.
void LiveDisplay::draw() {
  const auto columns = columns_of(m_descriptor);
  const auto shown = std::min(m_activities.size(), rows_of(m_descriptor) - 1);
  auto text = erase();
  m_last_draw = Clock::now();
  for (std::size_t i = 0; i < shown; ++i) {
    text += activity_line(m_activities[i], m_last_draw, columns) + "\n";
  }
  m_drawn = shown;
  if (!text.empty()) {
    put(m_descriptor, text);
  }
}

} // namespace sheaf::ui
