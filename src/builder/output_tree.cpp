// SPDX-License-Identifier: Apache-2.0
#include "builder/output_tree.hpp"

#include "base/path_pattern.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::builder {
namespace {

/// Mode and owner of what is at `path` in the root; those of a new file of root if there is nothing.
layer::Entry attributes_in(const os::Fd& root, const std::string& path, unsigned default_mode) {
  layer::Entry entry;
  entry.mode = default_mode;
  struct stat info {};
  const auto found = os::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (found && fstat(found->get(), &info) == 0) {
    entry.mode = S_ISLNK(info.st_mode) ? default_mode : info.st_mode & 07777U;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
  }
  return entry;
}

} // namespace

Result<void> OutputTree::set_attributes(const std::string& path, const layer::Entry& wanted) const {
  const auto full = m_path + "/" + path;
  const auto time = wanted.mtime != 0 ? wanted.mtime : m_epoch;
  const std::array<timespec, 2> times = {{{time, 0}, {time, 0}}};
  const bool is_link = wanted.type == layer::EntryType::symlink;
  if (lchown(full.c_str(), wanted.uid, wanted.gid) != 0 || (!is_link && chmod(full.c_str(), wanted.mode) != 0) ||
      utimensat(AT_FDCWD, full.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the attributes of '{}'", full));
  }
  return {};
}

/// The topmost layer decides a merged directory's mode and owner, so what is made here repeats what is below.
Result<void> OutputTree::make_parents(const std::string& path) const {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = path.substr(0, slash);
    if (!os::is_directory(m_path + "/" + folder)) {
      SHEAF_TRY(os::make_directories(m_path + "/" + folder));
      SHEAF_TRY(set_attributes(folder, attributes_in(m_root, folder, 0755)));
    }
  }
  return {};
}

Result<void> OutputTree::add_file(const std::string& path, std::string_view content) {
  SHEAF_TRY(make_parents(path));
  SHEAF_TRY(os::write_file(m_path + "/" + path, content));
  return set_attributes(path, attributes_in(m_root, path, 0644));
}

Result<void> OutputTree::add_link(const std::string& path, const std::string& target) {
  SHEAF_TRY(make_parents(path));
  const auto full = m_path + "/" + path;
  SHEAF_TRY(os::remove_file_if_exists(full));
  if (symlink(target.c_str(), full.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("making link '{}'", full));
  }
  layer::Entry link;
  link.type = layer::EntryType::symlink;
  return set_attributes(path, link);
}

Result<void> OutputTree::add_deletion(const std::string& path) {
  SHEAF_TRY(make_parents(path));
  const auto full = m_path + "/" + path;
  SHEAF_TRY(os::remove_all(full));
  if (mknod(full.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    return Error::from_errno(errno, fmt::format("marking '{}' as deleted", path));
  }
  return {};
}

Result<void> OutputTree::add_existing(const layer::Entry& entry, const std::string& source) {
  switch (entry.type) {
  case layer::EntryType::whiteout:
    return add_deletion(entry.path);
  case layer::EntryType::symlink:
    SHEAF_TRY(add_link(entry.path, entry.target));
    return set_attributes(entry.path, entry);
  case layer::EntryType::directory:
    SHEAF_TRY(make_parents(entry.path + "/"));
    return set_attributes(entry.path, entry);
  case layer::EntryType::file:
    SHEAF_TRY(make_parents(entry.path));
    SHEAF_TRY(os::remove_all(m_path + "/" + entry.path));
    return os::hard_link(source + "/" + entry.path, m_path + "/" + entry.path);
  default:
    return Error(ErrorCode::unsupported, fmt::format("a generator made '/{}', which is a device or fifo", entry.path));
  }
}

bool any_match(const os::Fd& root, std::string_view pattern) {
  const auto prefix = literal_prefix(pattern);
  if (prefix.size() == pattern.size()) {
    return os::open_in_root(root, std::string(pattern), O_PATH).has_value();
  }
  const auto folder = std::string(prefix.substr(0, prefix.rfind('/')));
  const auto end = pattern.find('/', prefix.size());
  const auto rest = end == std::string_view::npos ? std::string_view() : pattern.substr(end);
  const auto directory = os::open_in_root(root, folder, O_RDONLY | O_DIRECTORY);
  const auto entries = directory ? os::list_directory(*directory) : Result<std::vector<os::DirectoryEntry>>({});
  if (!entries) {
    return false;
  }
  for (const auto& entry : *entries) {
    const auto path = folder + "/" + entry.name;
    if (matches_path(pattern.substr(0, end), path) && any_match(root, path + std::string(rest))) {
      return true;
    }
  }
  return false;
}

} // namespace sheaf::builder
