// SPDX-License-Identifier: Apache-2.0
#pragma once

// Folders that a walk has found and not read yet, shared by the threads that read them.

#include "detect/folder.hpp"
#include "detect/ignore_file.hpp"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::detect {

struct PendingFolder {
  /// The folder it is in; null if `name` is not below another one.
  std::shared_ptr<const Folder> parent;
  std::string name;
  /// Below the root, "" or "a/b/".
  std::string path;
  std::size_t depth = 0;
  /// Those of the folders that it is in.
  IgnoreFiles ignores;
};

/// Safe from several threads. The folder that was found last is read first, so that few others are kept open.
class PendingFolders {
public:
  /// What was found in the folder that this thread took last. Whoever took one must say so, even if it found nothing.
  void found(std::vector<PendingFolder> folders);
  /// Waits for one while others may still find some; nothing when all have been read.
  std::optional<PendingFolder> take();
  std::size_t size() const;

private:
  mutable std::mutex m_mutex; ///< guards what follows
  std::condition_variable m_changed;
  std::vector<PendingFolder> m_folders;
  /// How many were taken and have not been answered for.
  std::size_t m_taken = 0;
};

} // namespace sheaf::detect
