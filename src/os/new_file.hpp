// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file that gets its name when it is complete. Until then it has none (O_TMPFILE): whoever is killed leaves nothing.
// On a file system that cannot do this it has a temporary name beside the final one.

#include "os/fd.hpp"

#include <string>
#include <utility>

namespace sheaf::os {

class [[nodiscard]] NewFile {
public:
  /// `mode` as open(2) takes it. `not_found` if there is no directory to hold it.
  static Result<NewFile> create(const std::string& path, mode_t mode);
  NewFile(NewFile&& other) noexcept
      : m_fd(std::move(other.m_fd)),
        m_path(std::move(other.m_path)),
        m_temporary(std::exchange(other.m_temporary, {})) {}
  NewFile& operator=(NewFile&&) = delete;
  /// Removes what did not get its name.
  ~NewFile();

  const Fd& fd() const { return m_fd; }
  /// Gives it its name; a file of that name is replaced as a whole. Closes it.
  Result<void> appear();

private:
  NewFile(Fd fd, std::string path, std::string temporary)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_temporary(std::move(temporary)) {}
  Result<void> replace();
  Fd m_fd;
  std::string m_path;
  /// Empty if it has no name yet.
  std::string m_temporary;
};

/// fsync(2).
Result<void> flush(const Fd& fd);
/// The directory that holds `path`; "." for a mere name.
std::string parent_of(const std::string& path);

} // namespace sheaf::os
