// SPDX-License-Identifier: Apache-2.0
#include "ui/renderer.hpp"

#include "base/printable.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>

namespace sheaf::ui {
namespace {

using Clock = std::chrono::steady_clock;

void put(int descriptor, const std::string& text) {
  // Nothing sensible is left to do when standard error is gone.
  [[maybe_unused]] const auto written = ::write(descriptor, text.data(), text.size());
}

class JsonRenderer final : public EventSink {
public:
  explicit JsonRenderer(int descriptor) : m_descriptor(descriptor) {}
  // Out of memory is the only exception, and the end is the right answer to it.
  void emit(const Event& event) noexcept override { // NOLINT(bugprone-exception-escape)
    const nlohmann::json json = {
        {"event", to_string(event.kind)}, {"subject", event.subject}, {"text", event.text}, {"done", event.done},
        {"total", event.total},           {"ms", event.milliseconds}};
    const auto line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    const std::scoped_lock lock(m_mutex);
    put(m_descriptor, line);
  }

private:
  int m_descriptor;
  std::mutex m_mutex;
};

class LineRenderer final : public EventSink {
public:
  LineRenderer(const RenderSettings& settings, int descriptor) : m_settings(settings), m_descriptor(descriptor) {}
  ~LineRenderer() override { clear_status(); }

  // Out of memory is the only exception, and the end is the right answer to it.
  void emit(const Event& told) noexcept override { // NOLINT(bugprone-exception-escape)
    auto event = told; // names and output are those of whoever wrote the build, and may be made to deceive
    event.subject = printable(told.subject, Colours::dropped);
    event.text = printable(told.text, told.kind == EventKind::output ? Colours::kept : Colours::dropped);
    const std::scoped_lock lock(m_mutex);
    if (event.kind == EventKind::output && m_settings.verbosity != Verbosity::verbose) {
      event.text = printable(told.text, Colours::dropped);
      show_status(event);
      return;
    }
    if (m_settings.verbosity == Verbosity::quiet && event.kind != EventKind::warning && event.kind != EventKind::fail) {
      return;
    }
    if (event.kind == EventKind::cached && m_settings.verbosity != Verbosity::verbose) {
      return; // the plan said so already
    }
    clear_status();
    put(m_descriptor, line_for(event) + "\n");
  }

private:
  std::string paint(std::string_view code, const std::string& text) const {
    return m_settings.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  std::string line_for(const Event& event) const {
    const auto subject = paint("1", fmt::format("{:<16}", event.subject));
    switch (event.kind) {
    case EventKind::begin:
      return fmt::format("{} building ({})", subject, event.text);
    case EventKind::step:
      return event.total > 0 ? fmt::format("{} [{}/{}] {}", subject, event.done, event.total, event.text)
                             : fmt::format("{} {}", subject, event.text);
    case EventKind::output:
      return fmt::format("{} {}", subject, paint("2", "| " + event.text));
    case EventKind::end:
      return fmt::format("{} {} in {}: {}", subject, paint("32", "done"), human_milliseconds(event.milliseconds),
                         event.text);
    case EventKind::fail:
      return fmt::format("{} {} after {}", subject, paint("31", "failed"), human_milliseconds(event.milliseconds));
    case EventKind::cached:
      return fmt::format("{} {} ({})", subject, paint("36", "reused"), event.text);
    case EventKind::warning:
      return fmt::format("{} {}", paint("33", "warning:"), event.text);
    case EventKind::note:
      break;
    }
    return event.subject.empty() ? event.text : fmt::format("{} {}", subject, event.text);
  }

  /// The newest output line, overwritten in place: a sign of life on a terminal, nothing elsewhere.
  void show_status(const Event& event) {
    constexpr auto k_pause = std::chrono::milliseconds(60);
    const auto now = Clock::now();
    if (m_settings.style != Style::terminal || m_settings.verbosity == Verbosity::quiet ||
        now - m_last_status < k_pause) {
      return;
    }
    m_last_status = now;
    m_has_status = true;
    put(m_descriptor, fmt::format("\r\x1b[K{:<16} {}", event.subject, event.text.substr(0, 60)));
  }

  void clear_status() {
    if (m_has_status) {
      put(m_descriptor, "\r\x1b[K");
      m_has_status = false;
    }
  }

  RenderSettings m_settings;
  int m_descriptor;
  std::mutex m_mutex;
  Clock::time_point m_last_status;
  bool m_has_status = false;
};

} // namespace

std::unique_ptr<EventSink> make_renderer(const RenderSettings& settings, int descriptor) {
  if (settings.style == Style::json) {
    return std::make_unique<JsonRenderer>(descriptor);
  }
  return std::make_unique<LineRenderer>(settings, descriptor);
}

} // namespace sheaf::ui
