// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file that a user asked for by path: readers see the old one or a whole new one, and what is no file (a device, a
// pipe) is written to instead of replaced. What a killed process left half-written goes when the same file is written
// again.

#include "os/fd.hpp"

#include <string>
#include <utility>

namespace sheaf::os {

class [[nodiscard]] OutputFile {
public:
  /// `invalid` if there is a directory at `path`; `not_found` if there is none to hold it. A symlink stays, and what it
  /// leads to is written.
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept
      : m_fd(std::move(other.m_fd)), m_partial(std::exchange(other.m_partial, {})), m_path(std::move(other.m_path)) {}
  OutputFile& operator=(OutputFile&&) = delete;
  /// Removes what was not committed.
  ~OutputFile();

  const Fd& fd() const { return m_fd; }
  /// Puts it in its place, under its lock, and gives it to the caller.
  Result<void> commit();

private:
  OutputFile(Fd fd, std::string partial, std::string path)
      : m_fd(std::move(fd)), m_partial(std::move(partial)), m_path(std::move(path)) {}
  Fd m_fd;
  /// Empty if it is written in place, or committed.
  std::string m_partial;
  std::string m_path;
};

} // namespace sheaf::os
