// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole files and directories by path, in our own directories (store, configuration, project). Inside a root file
// system use the functions of fd.hpp that resolve beneath a descriptor.

#include "os/fd.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::os {

Result<std::string> read_file(const std::string& path);
/// Nothing if there is no such file.
Result<std::optional<std::string>> read_file_if_exists(const std::string& path);
bool exists(const std::string& path);
bool is_directory(const std::string& path);

enum class Durable { no, yes };

/// Replaces `path` as a whole: temporary file beside it, fsync when durable, rename. Readers see the old or the new.
Result<void> write_file(const std::string& path, std::string_view content, Durable durable = Durable::no,
                        mode_t mode = 0644);
/// As `mkdir -p`.
Result<void> make_directories(const std::string& path, mode_t mode = 0755);
/// rename(2).
Result<void> rename(const std::string& from, const std::string& to);
/// link(2): a second name for the file `from`.
Result<void> hard_link(const std::string& from, const std::string& to);
/// Removes a file or a whole tree; nothing there is success. Never follows a symlink, never leaves the file system
/// object it was given.
Result<void> remove_all(const std::string& path);
Result<void> remove_file_if_exists(const std::string& path);
/// Flushes the file system that holds `path`: syncfs(2).
Result<void> sync_file_system(const std::string& path);
/// Flushes the entries of a directory: what was renamed into it stays there.
Result<void> sync_directory(const std::string& path);

struct DirectoryEntry {
  std::string name;
  /// DT_REG, DT_DIR, …; DT_UNKNOWN where the file system does not say.
  unsigned char type = 0;
};
/// Sorted by name, without "." and "..".
Result<std::vector<DirectoryEntry>> list_directory(const Fd& directory);
Result<std::vector<DirectoryEntry>> list_directory(const std::string& path);

/// What identifies a version of a file without reading it.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
/// Nothing if there is no such file.
std::optional<FileStamp> stamp(const std::string& path);

/// `path` made absolute and clean, symlinks resolved; `not_found` if it does not exist.
Result<std::string> real_path(const std::string& path);
/// The text of a symlink.
Result<std::string> read_link_at(const Fd& directory, const std::string& name);
/// Names this run of the machine, the same in all containers on it; empty if /proc does not say.
std::string boot_id();
/// The value of an environment variable; nothing if unset or empty.
std::optional<std::string> environment(const std::string& name);
/// HOME, else what the database of users says, else "/".
std::string home_directory();

} // namespace sheaf::os
