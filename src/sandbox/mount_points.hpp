// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where mounts are attached in the root. What is missing is made, and taken away again after the run, so that the upper
// directory shows what the command did and nothing of ours. Helper process only.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <sys/stat.h>

#include <string>
#include <vector>

namespace sheaf::sandbox {

enum class TargetKind { file, directory };

class MountPoints {
public:
  /// `root` is the mounted overlay, `upper` its upper directory; both are paths of before the pivot.
  static Result<MountPoints> create(const std::string& root, const std::string& upper);

  const os::Fd& root() const { return m_root; }
  /// Makes what is missing of `path`, its parents as directories. A directory gets the owner of the one it is in: below
  /// somebody's home it is theirs, or they could not use what else belongs there.
  Result<void> ensure(const std::string& path, TargetKind kind);
  /// As `ensure`, then attaches the detached `mount` there.
  Result<void> attach(const os::Fd& mount, const std::string& path, TargetKind kind);
  /// Removes what `ensure` made and left empty from the upper directory, and the folders that were only copied up for
  /// it. Times of folders stay as the command left them. Call it when nothing uses the root any more; it works after
  /// the pivot.
  /// Source: BuildKit removes such stubs too, those of /proc, /sys and /dev excepted.
  Result<void> remove() const;
  /// What was made so far stays.
  void keep() { m_made.clear(); }
  /// Closes the root, which would keep its file system busy.
  Result<void> release_root() { return m_root.close(); }

private:
  MountPoints(os::Fd root, os::Fd upper) : m_root(std::move(root)), m_upper(std::move(upper)) {}
  void note_copied_up(const std::string& folder);

  /// Paths relative to the root, parents before what is in them.
  struct Made {
    std::string path;
    TargetKind kind;
  };
  struct CopiedUp {
    std::string path;
    struct stat before;
  };
  os::Fd m_root;
  os::Fd m_upper;
  std::vector<Made> m_made;
  std::vector<CopiedUp> m_copied_up; ///< folders that are in the upper only because something was made in them
};

} // namespace sheaf::sandbox
