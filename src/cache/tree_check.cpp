// SPDX-License-Identifier: Apache-2.0
#include "cache/tree_check.hpp"

#include "layer/file_digest.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string>
#include <vector>

namespace sheaf::cache {
namespace {

using layer::EntryType;

Error differs(const std::string& path, std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("'/{}' of the layer's tree {}", path, what)};
}

mode_t type_of(EntryType type) {
  switch (type) {
  case EntryType::file:
    return S_IFREG;
  case EntryType::directory:
    return S_IFDIR;
  case EntryType::symlink:
    return S_IFLNK;
  case EntryType::block_device:
    return S_IFBLK;
  case EntryType::fifo:
    return S_IFIFO;
  case EntryType::character_device:
  case EntryType::whiteout:
    break;
  }
  return S_IFCHR;
}

class Check {
public:
  Check(const os::Fd& root, const std::unordered_map<ino_t, Digest>& contents) : m_root(root), m_contents(contents) {}

  Result<void> run(const layer::Inventory& inventory) {
    std::size_t missing_devices = 0;
    for (const auto& entry : inventory.entries) {
      auto file = os::open_in_root(m_root, entry.path, O_PATH | O_NOFOLLOW);
      const bool is_device = entry.type == EntryType::character_device || entry.type == EntryType::block_device;
      if (!file && is_device && file.error().code() == ErrorCode::not_found) {
        ++missing_devices;
        continue;
      }
      SHEAF_TRY(file);
      SHEAF_TRY(compare(entry, *file));
    }
    SHEAF_TRY_ASSIGN(const auto count, count_entries());
    return count + missing_devices == inventory.entries.size()
               ? Result<void>()
               : Error(ErrorCode::corrupt, fmt::format("the layer's tree has {} entries, its inventory {}", count,
                                                       inventory.entries.size()));
  }

private:
  Result<void> compare(const layer::Entry& entry, const os::Fd& file) {
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
    const bool is_whiteout = entry.type == EntryType::whiteout;
    const bool is_mark = S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
    if ((info.st_mode & S_IFMT) != type_of(entry.type) || is_mark != is_whiteout) {
      return differs(entry.path, "is of another type");
    }
    if (is_whiteout) {
      return {};
    }
    const bool has_mode = entry.type == EntryType::symlink || (info.st_mode & 07777U) == entry.mode;
    if (!has_mode || info.st_uid != entry.uid || info.st_gid != entry.gid) {
      return differs(entry.path, "has another owner or mode");
    }
    if (entry.type == EntryType::file) {
      return compare_content(entry, info);
    }
    if (entry.type == EntryType::symlink && !entry.is_hard_link) {
      const auto slash = entry.path.rfind('/');
      const auto name = entry.path.substr(slash == std::string::npos ? 0 : slash + 1);
      const auto parent = slash == std::string::npos ? "." : entry.path.substr(0, slash);
      SHEAF_TRY_ASSIGN(const auto folder, os::open_in_root(m_root, parent, O_PATH | O_DIRECTORY));
      SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(folder, name));
      return target == entry.target ? Result<void>() : differs(entry.path, "leads elsewhere");
    }
    return {};
  }

  Result<void> compare_content(const layer::Entry& entry, const struct stat& info) {
    if (!entry.digest) {
      return {};
    }
    const auto known = m_contents.find(info.st_ino);
    auto digest = known != m_contents.end() ? Result<Digest>(known->second) : read(entry.path);
    SHEAF_TRY(digest);
    return *digest == *entry.digest ? Result<void>() : differs(entry.path, "has another content");
  }

  Result<Digest> read(const std::string& path) {
    SHEAF_TRY_ASSIGN(const auto file, os::open_in_root(m_root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return layer::digest_of(file);
  }

  Result<std::size_t> count_entries() {
    std::size_t count = 0;
    std::vector<std::string> folders = {"."};
    while (!folders.empty()) {
      const auto path = std::move(folders.back());
      folders.pop_back();
      SHEAF_TRY_ASSIGN(const auto folder, os::open_in_root(m_root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
      count += entries.size();
      for (const auto& entry : entries) {
        SHEAF_TRY_ASSIGN(const bool is_folder, is_directory(folder, entry));
        if (is_folder) {
          folders.push_back(path + "/" + entry.name);
        }
      }
    }
    return count;
  }

  static Result<bool> is_directory(const os::Fd& folder, const os::DirectoryEntry& entry) {
    if (entry.type != DT_UNKNOWN) {
      return entry.type == DT_DIR;
    }
    SHEAF_TRY_ASSIGN(const auto file, os::open_in_root(folder, entry.name, O_PATH | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
    return S_ISDIR(info.st_mode);
  }

  const os::Fd& m_root;
  const std::unordered_map<ino_t, Digest>& m_contents;
};

} // namespace

Result<void> check_tree(const os::Fd& root, const layer::Inventory& inventory,
                        const std::unordered_map<ino_t, Digest>& contents) {
  return Check(root, contents).run(inventory);
}

} // namespace sheaf::cache
