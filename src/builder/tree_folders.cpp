// SPDX-License-Identifier: Apache-2.0
#include "builder/tree_folders.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace sheaf::builder {
namespace {

/// As many as the kernel follows: path_resolution(7).
constexpr int k_most_links = 40;

/// The link at `path` says where it leads; nothing if it is no link.
Result<std::optional<std::string>> link_at(const os::Fd& root, const std::string& path) {
  const auto found = os::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  struct stat info {};
  if (!found || fstat(found->get(), &info) != 0 || !S_ISLNK(info.st_mode)) {
    return std::optional<std::string>();
  }
  SHEAF_TRY_ASSIGN(auto target, os::read_link_at(*found, ""));
  return std::optional(std::move(target));
}

void push_parts(std::string_view path, std::vector<std::string>& open) {
  const auto parts = split(path, '/');
  open.insert(open.end(), parts.rbegin(), parts.rend());
}

/// `folder` with all links followed, whether it exists or not.
Result<std::string> resolved(const os::Fd& root, const std::string& folder) {
  std::vector<std::string> open; // the next one last
  push_parts(folder, open);
  std::string place;
  for (int links = 0; !open.empty();) {
    const auto part = std::move(open.back());
    open.pop_back();
    if (part == "..") {
      const auto slash = place.rfind('/');
      place.resize(slash == std::string::npos ? 0 : slash);
    } else if (!part.empty() && part != ".") {
      auto next = place.empty() ? part : fmt::format("{}/{}", place, part);
      SHEAF_TRY_ASSIGN(const auto target, link_at(root, next));
      if (!target) {
        place = std::move(next);
        continue;
      }
      if (++links > k_most_links) {
        return Error(ErrorCode::invalid, fmt::format("'/{}' leads through too many links", folder));
      }
      place = target->starts_with('/') ? std::string() : place;
      push_parts(*target, open);
    }
  }
  return place;
}

} // namespace

Result<std::optional<layer::Entry>> attributes_in(const os::Fd& root, const std::string& path) {
  struct stat info {};
  const auto found = os::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (!found || fstat(found->get(), &info) != 0) {
    return std::optional<layer::Entry>();
  }
  layer::Entry entry;
  entry.mode = info.st_mode & 07777U;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  if (S_ISLNK(info.st_mode)) {
    entry.type = layer::EntryType::symlink;
    SHEAF_TRY_ASSIGN(entry.target, os::read_link_at(*found, ""));
    return std::optional(std::move(entry));
  }
  const auto slash = path.rfind('/');
  SHEAF_TRY_ASSIGN(const auto folder, os::open_in_root(root, slash == std::string::npos ? "." : path.substr(0, slash),
                                                       O_PATH | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(entry.attributes, os::attributes_at(folder, path.substr(slash + 1)));
  std::erase_if(entry.attributes, [](const auto& one) { return one.first.starts_with(os::overlay_prefix()); });
  return std::optional(std::move(entry));
}

Result<std::string> TreeFolders::place_of(const std::string& path) {
  const auto slash = path.rfind('/');
  SHEAF_TRY_ASSIGN(const auto folder, folder_of(slash == std::string::npos ? std::string() : path.substr(0, slash)));
  const auto name = path.substr(slash + 1); // the whole path if there is no slash
  return folder.empty() ? name : folder + "/" + name;
}

Result<std::string> TreeFolders::folder_of(const std::string& path) {
  SHEAF_TRY_ASSIGN(auto place, resolved(m_root, path));
  SHEAF_TRY(make_folders(place));
  return place;
}

/// The topmost layer decides a merged directory's attributes, so what is made here repeats what is below.
Result<void> TreeFolders::make_folders(const std::string& folder) {
  if (m_times.try_emplace("", m_epoch).second) {
    SHEAF_TRY_ASSIGN(const auto below, attributes_in(m_root, "."));
    SHEAF_TRY(below ? set_attributes("", *below) : Result<void>());
  }
  for (auto slash = folder.find('/'); !folder.empty(); slash = folder.find('/', slash + 1)) {
    const auto place = folder.substr(0, slash);
    const auto full = full_path(place);
    struct stat info {};
    if (mkdir(full.c_str(), 0755) == 0) {
      SHEAF_TRY_ASSIGN(const auto below, attributes_in(m_root, place));
      layer::Entry fresh;
      fresh.mode = 0755;
      SHEAF_TRY(set_attributes(place, below.value_or(fresh)));
    } else if (errno != EEXIST) {
      return Error::from_errno(errno, fmt::format("creating directory '{}'", full));
    } else if (lstat(full.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      return Error(ErrorCode::invalid, fmt::format("'/{}' is to be a folder, and something else as well", place));
    }
    m_times.try_emplace(place, m_epoch);
    if (slash == std::string::npos) {
      break;
    }
  }
  return {};
}

Result<void> TreeFolders::set_attributes(const std::string& place, const layer::Entry& wanted) {
  const auto full = full_path(place);
  const auto time = wanted.mtime != 0 ? wanted.mtime : m_epoch;
  const std::array<timespec, 2> times = {{{time, 0}, {time, 0}}};
  const bool is_link = wanted.type == layer::EntryType::symlink;
  if (lchown(full.c_str(), wanted.uid, wanted.gid) != 0 || (!is_link && chmod(full.c_str(), wanted.mode) != 0) ||
      utimensat(AT_FDCWD, full.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the attributes of '{}'", full));
  }
  if (!wanted.attributes.empty()) {
    SHEAF_TRY_ASSIGN(const auto tree, os::open(m_tree, O_PATH | O_DIRECTORY));
    for (const auto& [name, value] : wanted.attributes) {
      SHEAF_TRY(os::set_attribute_at(tree, place.empty() ? "." : place, name, value));
    }
  }
  if (const auto known = m_times.find(place); known != m_times.end()) {
    known->second = time;
  }
  return {};
}

Result<void> TreeFolders::settle_times() {
  SHEAF_TRY(make_folders("")); // even an empty tree decides about the root's attributes
  for (const auto& [place, time] : m_times) {
    const std::array<timespec, 2> times = {{{time, 0}, {time, 0}}};
    if (utimensat(AT_FDCWD, full_path(place).c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("setting the time of '/{}'", place));
    }
  }
  return {};
}

} // namespace sheaf::builder
