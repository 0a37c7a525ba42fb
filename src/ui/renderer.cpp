// SPDX-License-Identifier: Apache-2.0
#include "ui/renderer.hpp"

#include "base/printable.hpp"
#include "base/text.hpp"
#include "ui/live_display.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <mutex>

namespace sheaf::ui {
namespace {

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
  LineRenderer(const RenderSettings& settings, int descriptor) : m_settings(settings), m_descriptor(descriptor) {
    if (settings.style == Style::terminal && settings.verbosity == Verbosity::normal) {
      m_live = std::make_unique<LiveDisplay>(descriptor);
    }
  }

  // Out of memory is the only exception, and the end is the right answer to it.
  void emit(const Event& told) noexcept override { // NOLINT(bugprone-exception-escape)
    auto event = told; // names and output are those of whoever wrote the build, and may be made to deceive
    event.subject = printable(told.subject, Colours::dropped);
    event.text = printable(told.text, told.kind == EventKind::output ? Colours::kept : Colours::dropped);
    const std::scoped_lock lock(m_mutex);
    if (event.kind == EventKind::output && m_settings.verbosity != Verbosity::verbose) {
      event.text = printable(told.text, Colours::dropped);
      show(event);
      return;
    }
    if (m_settings.verbosity == Verbosity::quiet && event.kind != EventKind::warning && event.kind != EventKind::fail) {
      return;
    }
    if (event.kind == EventKind::cached && m_settings.verbosity != Verbosity::verbose) {
      return; // the plan said so already
    }
    if (!show(event)) {
      print(line_for(event));
    }
  }

private:
  /// True if the event is seen in the live part of a terminal, and needs no line that stays.
  bool show(const Event& event) {
    if (!m_live) {
      return false;
    }
    switch (event.kind) {
    case EventKind::begin:
      m_live->begin(event.subject);
      return true;
    case EventKind::step:
      return m_live->step(event.subject, event.done, event.total, event.text);
    case EventKind::output:
      return m_live->output(event.subject, event.text);
    case EventKind::end:
    case EventKind::fail:
      m_live->end(event.subject);
      return false;
    case EventKind::cached:
    case EventKind::note:
    case EventKind::warning:
      break;
    }
    return false;
  }

  void print(const std::string& line) {
    if (m_live) {
      m_live->print(line);
    } else {
      put(m_descriptor, line + "\n");
    }
  }

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

  RenderSettings m_settings;
  int m_descriptor;
  std::mutex m_mutex;
  std::unique_ptr<LiveDisplay> m_live;
};

} // namespace

std::unique_ptr<EventSink> make_renderer(const RenderSettings& settings, int descriptor) {
  if (settings.style == Style::json) {
    return std::make_unique<JsonRenderer>(descriptor);
  }
  return std::make_unique<LineRenderer>(settings, descriptor);
}

} // namespace sheaf::ui
