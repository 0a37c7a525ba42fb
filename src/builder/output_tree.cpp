// SPDX-License-Identifier: Apache-2.0
#include "builder/output_tree.hpp"

#include "base/path_pattern.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sheaf::builder {

Result<void> OutputTree::add_file(const std::string& path, std::string_view content) {
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(path));
  SHEAF_TRY(os::write_file(m_folders.full_path(place), content));
  SHEAF_TRY_ASSIGN(auto wanted, attributes_in(m_root, place));
  if (!wanted || wanted->type == layer::EntryType::symlink) {
    wanted.emplace();
    wanted->mode = 0644;
  }
  return m_folders.set_attributes(place, *wanted);
}

Result<void> OutputTree::add_link(const std::string& path, const std::string& target) {
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(path));
  const auto full = m_folders.full_path(place);
  SHEAF_TRY(os::remove_file_if_exists(full));
  if (symlink(target.c_str(), full.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("making link '{}'", full));
  }
  layer::Entry link;
  link.type = layer::EntryType::symlink;
  return m_folders.set_attributes(place, link);
}

Result<void> OutputTree::add_deletion(const std::string& path) {
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(path));
  const auto full = m_folders.full_path(place);
  SHEAF_TRY(os::remove_all(full));
  if (mknod(full.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    return Error::from_errno(errno, fmt::format("marking '{}' as deleted", path));
  }
  return {};
}

Result<void> OutputTree::add_existing(const layer::Entry& entry, const std::string& source) {
  if (entry.type == layer::EntryType::whiteout) {
    return add_deletion(entry.path);
  }
  if (entry.type == layer::EntryType::directory) {
    SHEAF_TRY_ASSIGN(const auto folder, m_folders.folder_of(entry.path));
    return m_folders.set_attributes(folder, entry);
  }
  SHEAF_TRY_ASSIGN(const auto place, m_folders.place_of(entry.path));
  if (entry.type == layer::EntryType::symlink) {
    SHEAF_TRY(add_link(place, entry.target));
    return m_folders.set_attributes(place, entry);
  }
  if (entry.type == layer::EntryType::file) {
    SHEAF_TRY(os::remove_all(m_folders.full_path(place)));
    return os::hard_link(source + "/" + entry.path, m_folders.full_path(place));
  }
  return Error(ErrorCode::unsupported, fmt::format("a generator made '/{}', which is a device or fifo", entry.path));
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
  return std::ranges::any_of(*entries, [&](const auto& entry) {
    const auto path = folder + "/" + entry.name;
    return matches_path(pattern.substr(0, end), path) && any_match(root, path + std::string(rest));
  });
}

} // namespace sheaf::builder
