// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copies the entries that context::select found, one by one, into an open directory. Where they go is decided in
// copy_files; here names are single components below a descriptor, so that no link is ever followed.

#include "base/result.hpp"
#include "os/fd.hpp"
#include "sandbox/file_mode.hpp"

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "context/selection.hpp"

namespace sheaf::sandbox {

/// What every copied entry gets; nothing: what its source has.
struct CopyAttributes {
  std::optional<std::pair<unsigned, unsigned>> owner;
  std::optional<FileMode> mode;
  /// Seconds since 1970.
  std::optional<long long> epoch;
};

/// Copies one source. Files that are one inode there are one here. Source: tonistiigi/fsutil, copy.
class EntryCopier {
public:
  /// `tree` is what was selected from, `target` the directory that names are below of.
  EntryCopier(const os::Fd& tree, const os::Fd& target, const CopyAttributes& attributes)
      : m_tree(tree), m_target(target), m_attributes(attributes) {}

  /// All of a directory source, the directory itself excepted.
  Result<void> copy_folder(const context::SelectedSource& source);
  /// One file as `name`.
  Result<void> copy_file(const std::string& source, const std::string& name);
  /// An open file of the host as `name`; `mode` as in CopyFiles::File.
  Result<void> copy_host_file(const os::Fd& from, const std::string& name, std::optional<unsigned> mode);

private:
  /// A folder that is being filled; its time is set when it is left, for every file made in it changes that.
  struct Folder {
    std::string name;
    os::Fd from;
    os::Fd to;
    std::optional<timespec> time;
    /// New files get the folder's group and not ours.
    bool gives_group = false;
  };

  Result<void> enter(const context::SelectedEntry& entry);
  Result<void> leave();
  Result<void> leave_all_but_parents_of(const std::string& name);
  Result<void> copy_one(const Folder& folder, const std::string& from_name, const std::string& name,
                        const std::string& path);
  Result<void> copy_content(const os::Fd& from, const struct stat& info, const Folder& folder, const std::string& name);
  Result<bool> link_to_first(const struct stat& info, const Folder& folder, const std::string& name,
                             const std::string& path);
  Result<void> copy_special(const struct stat& info, const Folder& folder, const std::string& from_name,
                            const std::string& name);
  Result<void> set_folder_attributes(const Folder& folder, const struct stat& info) const;

  std::pair<unsigned, unsigned> owner_of(const struct stat& info) const;
  mode_t mode_of(const struct stat& info) const;
  timespec time_of(const struct stat& info) const;

  const os::Fd& m_tree;
  const os::Fd& m_target;
  const CopyAttributes& m_attributes;
  std::vector<Folder> m_folders;
  /// The first name that an inode with several was copied to, below the target.
  std::map<std::pair<dev_t, ino_t>, std::string> m_inodes;
};

} // namespace sheaf::sandbox
