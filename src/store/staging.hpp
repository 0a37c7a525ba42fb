// SPDX-License-Identifier: Apache-2.0
#pragma once

// A private directory below the store's tmp/ in which something is built. It vanishes with its owner, and if the owner
// was killed, the next process that opens the store removes it: a lock on the folder tells the dead from the living.

#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/temp_dir.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::store {

class [[nodiscard]] Staging {
public:
  Staging(Staging&&) noexcept = default;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  static Result<Staging> create(const std::string& parent);
  /// The folders in `parent` and the processes that made them.
  static Result<std::vector<std::pair<std::string, int>>> list(const std::string& parent);
  /// Removes the folders and files in `parent` whose owner is gone. Returns how many folders.
  static Result<int> remove_abandoned(const std::string& parent);

  const std::string& path() const { return m_directory.path(); }
  /// "<path>/<name>"
  std::string file(const std::string& name) const { return path() + "/" + name; }
  /// Makes an empty directory with a name of its own that begins with `prefix`.
  Result<std::string> fresh_directory(const std::string& prefix);

private:
  Staging(os::TempDir directory, os::FileLock lock) : m_directory(std::move(directory)), m_lock(std::move(lock)) {}
  os::TempDir m_directory;
  os::FileLock m_lock;
  int m_count = 0;
};

/// As os::write_file, for files of the store at `root`: the temporary file is in its tmp/, so that what a killed
/// process leaves is removed by the next one.
Result<void> write_file(const std::string& root, const std::string& path, std::string_view content,
                        os::Durable durable = os::Durable::no);

} // namespace sheaf::store
