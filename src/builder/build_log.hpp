// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the output of a layer's steps goes: a log file, output events, and the last lines for an error message.

#include "base/event.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sheaf::builder {

/// How the log line begins that says which step starts; such lines are for the log file only.
inline constexpr std::string_view k_step_mark = "--- ";

class BuildLog {
public:
  /// Starts to collect what is written to output(); lines become events of `subject`.
  static Result<std::unique_ptr<BuildLog>> open(const std::string& path, std::string subject, EventSink& events);
  ~BuildLog();
  BuildLog(const BuildLog&) = delete;
  BuildLog& operator=(const BuildLog&) = delete;

  /// The writing end for commands.
  int output() const { return m_pipe.write.get(); }
  const std::string& path() const { return m_path; }
  /// A line of our own, for example the instruction that starts now.
  void note(std::string_view line);
  /// The last lines printed, each indented, for an error's details.
  std::string tail();
  /// Waits until all that was written has arrived; nothing may be written afterwards.
  void finish();

private:
  BuildLog(os::Fd file, std::string path, std::string subject, EventSink& events, os::Pipe pipe);
  void collect();
  void add_line(std::string line);

  os::Fd m_file;
  std::string m_path;
  std::string m_subject;
  EventSink& m_events;
  os::Pipe m_pipe;
  std::mutex m_mutex; ///< guards m_tail and writes to m_file
  std::deque<std::string> m_tail;
  std::jthread m_thread;
};

} // namespace sheaf::builder
