// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a test prints: looks for the expected text while it comes in, and keeps its end.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace sheaf::app {

/// The pure part: of any amount of output it keeps a few kilobytes.
class OutputWatch {
public:
  /// `expected` may be empty, which is found at once.
  explicit OutputWatch(std::string expected) : m_expected(std::move(expected)), m_found(m_expected.empty()) {}
  void add(std::string_view bytes);
  bool found() const { return m_found; }
  /// The last lines, whole ones; an unfinished last line counts.
  std::string tail() const;

private:
  std::string m_expected;
  bool m_found;
  bool m_is_cut = false;
  /// The end of the output; longer than `m_expected`.
  std::string m_end;
};

/// Collects what is written to `output()` until `finish`.
class OutputReader {
public:
  static Result<std::unique_ptr<OutputReader>> start(std::string expected);
  OutputReader(const OutputReader&) = delete;
  OutputReader& operator=(const OutputReader&) = delete;
  ~OutputReader();

  /// The writing end for the command.
  int output() const { return m_pipe.write.get(); }
  /// Waits until all that was written has arrived; nothing may be written afterwards.
  const OutputWatch& finish();

private:
  OutputReader(std::string expected, os::Pipe pipe);
  void collect();
  os::Pipe m_pipe;
  OutputWatch m_watch; ///< of the thread, until it has ended
  std::jthread m_thread;
};

} // namespace sheaf::app
