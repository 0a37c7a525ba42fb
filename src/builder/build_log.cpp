// SPDX-License-Identifier: Apache-2.0
#include "builder/build_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace sheaf::builder {
namespace {

constexpr std::size_t k_tail_lines = 20;
constexpr std::size_t k_longest_line = 4000;

} // namespace

Result<std::unique_ptr<BuildLog>> BuildLog::open(const std::string& path, std::string subject, EventSink& events) {
  SHEAF_TRY_ASSIGN(auto file, os::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644));
  SHEAF_TRY_ASSIGN(auto pipe, os::Pipe::create());
  return std::unique_ptr<BuildLog>(new BuildLog(std::move(file), path, std::move(subject), events, std::move(pipe)));
}

BuildLog::BuildLog(os::Fd file, std::string path, std::string subject, EventSink& events, os::Pipe pipe)
    : m_file(std::move(file)),
      m_path(std::move(path)),
      m_subject(std::move(subject)),
      m_events(events),
      m_pipe(std::move(pipe)),
      m_thread([this] { collect(); }) {}

BuildLog::~BuildLog() { finish(); }

void BuildLog::finish() {
  ignore(m_pipe.write.close(), "closing the writing end of a log");
  if (m_thread.joinable()) {
    m_thread.join();
  }
}

void BuildLog::note(std::string_view line) {
  const std::scoped_lock lock(m_mutex);
  ignore(os::write_all(m_file, std::string(line) + "\n"), "writing a build log");
}

void BuildLog::add_line(std::string line) {
  {
    const std::scoped_lock lock(m_mutex);
    ignore(os::write_all(m_file, line + "\n"), "writing a build log");
    if (line.starts_with(k_step_mark)) {
      return;
    }
    m_tail.push_back(line);
    if (m_tail.size() > k_tail_lines) {
      m_tail.pop_front();
    }
  }
  m_events.emit({EventKind::output, m_subject, std::move(line)});
}

void BuildLog::collect() {
  std::array<char, 8192> buffer{};
  std::string line;
  for (;;) {
    const auto got = ::read(m_pipe.read.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
      // A carriage return redraws a progress line; each state is a line of its own here.
      const bool ends = c == '\n' || c == '\r' || line.size() >= k_longest_line;
      if (ends && !line.empty()) {
        add_line(std::exchange(line, {}));
      }
      if (c != '\n' && c != '\r') {
        line += c;
      }
    }
  }
  if (!line.empty()) {
    add_line(std::move(line));
  }
}

std::string BuildLog::tail() {
  const std::scoped_lock lock(m_mutex);
  std::string text;
  for (const auto& line : m_tail) {
    text += (text.empty() ? "  | " : "\n  | ") + line;
  }
  return text;
}

} // namespace sheaf::builder
