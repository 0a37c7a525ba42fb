// SPDX-License-Identifier: Apache-2.0
#pragma once

// Progress as data. Code that works for a while emits events; `ui/` renders them as lines, a terminal display or JSON.

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf {

enum class EventKind {
  begin,  ///< an activity started: `subject` names it, `text` says why
  step,   ///< the activity reached step `done` of `total`: `text` is the instruction
  output, ///< a line that the activity's command printed
  end,    ///< it finished well: `text` is the outcome for people
  fail,   ///< it failed: `text` is the one-line summary
  cached, ///< nothing had to be done: `text` says why
  note,   ///< something worth a line, outside any activity
  warning,
};

struct Event {
  EventKind kind = EventKind::note;
  /// What the activity is about, for example "layer python" or "join"; empty for notes.
  std::string subject;
  std::string text;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  /// Time the activity took, in milliseconds; set on end and fail.
  double milliseconds = 0;
};

/// Receives events from any thread. Implementations lock for themselves and must not throw.
class EventSink {
public:
  virtual ~EventSink() = default;
  virtual void emit(const Event& event) noexcept = 0;
};

/// Drops everything.
class NullSink final : public EventSink {
public:
  void emit(const Event& /*event*/) noexcept override {}
};

std::string_view to_string(EventKind kind);

} // namespace sheaf
