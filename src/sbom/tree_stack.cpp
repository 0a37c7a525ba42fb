// SPDX-License-Identifier: Apache-2.0
#include "sbom/tree_stack.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

namespace sheaf::sbom {
namespace {

using layer::EntryType;

Result<struct stat> look(const os::Fd& folder, const std::string& name, const std::string& path) {
  struct stat info {};
  if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '/{}'", path));
  }
  return info;
}

/// Nothing for a socket.
std::optional<EntryType> type_of(const struct stat& info) {
  switch (info.st_mode & S_IFMT) {
  case S_IFREG:
    return EntryType::file;
  case S_IFDIR:
    return EntryType::directory;
  case S_IFLNK:
    return EntryType::symlink;
  case S_IFCHR:
    return info.st_rdev == makedev(0, 0) ? EntryType::whiteout : EntryType::character_device;
  case S_IFBLK:
    return EntryType::block_device;
  case S_IFIFO:
    return EntryType::fifo;
  default:
    return std::nullopt;
  }
}

Result<std::map<std::string, std::string>> portable_attributes(const os::Fd& folder, const std::string& name) {
  SHEAF_TRY_ASSIGN(auto attributes, os::attributes_at(folder, name));
  std::erase_if(attributes, [](const auto& attribute) { return !os::is_portable_attribute(attribute.first); });
  return attributes;
}

/// Fills in what Detail::entries asks for; path and type are there.
Result<void> describe(TreeEntry& found, const os::Fd& folder, const std::string& name) {
  auto& entry = found.entry;
  SHEAF_TRY_ASSIGN(const auto info, look(folder, name, entry.path));
  entry.mode = info.st_mode & 07777U;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtim.tv_sec;
  found.device = info.st_dev;
  found.inode = info.st_ino;
  found.has_other_names = entry.type != EntryType::directory && info.st_nlink > 1;
  if (entry.type == EntryType::file) {
    entry.size = static_cast<std::uint64_t>(info.st_size);
  } else if (entry.type == EntryType::symlink) {
    SHEAF_TRY_ASSIGN(entry.target, os::read_link_at(folder, name));
  } else if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    entry.target = fmt::format("{}:{}", major(info.st_rdev), minor(info.st_rdev));
  }
  SHEAF_TRY_ASSIGN(entry.attributes, portable_attributes(folder, name));
  return {};
}

std::string child_path(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

Result<os::Fd> open_folder(const os::Fd& tree, const std::string& path) {
  return os::open_beneath(tree, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      .context(fmt::format("opening '/{}'", path));
}

/// The names of one folder, gathered tree by tree from the top.
class Listing {
public:
  Listing(const std::string& path, Detail detail) : m_path(path), m_detail(detail) {}

  /// Adds the names that the tree `index`, below all that were added, has in its folder `folder`.
  Result<void> add(const os::Fd& folder, std::size_t index) {
    SHEAF_TRY_ASSIGN(const auto names, os::list_directory(folder).context(fmt::format("listing '/{}'", m_path)));
    for (const auto& name : names) {
      if (!m_closed.contains(name.name)) {
        SHEAF_TRY(add_name(folder, name, index));
      }
    }
    return {};
  }

  std::vector<TreeEntry> take() && {
    std::vector<TreeEntry> entries;
    entries.reserve(m_found.size());
    for (auto& [name, found] : m_found) {
      entries.push_back(std::move(found));
    }
    return entries;
  }

private:
  Result<void> add_name(const os::Fd& folder, const os::DirectoryEntry& name, std::size_t index) {
    const auto path = child_path(m_path, name.name);
    SHEAF_TRY_ASSIGN(const auto type, type_at(folder, name, path));
    const auto known = m_found.find(name.name);
    if (known != m_found.end()) { // a folder above: only folders below add to it
      if (type == EntryType::directory) {
        known->second.trees.push_back(index);
      } else {
        m_closed.insert(name.name);
      }
      return {};
    }
    if (type != EntryType::directory) {
      m_closed.insert(name.name);
    }
    if (!type || type == EntryType::whiteout) {
      return {};
    }
    TreeEntry found;
    found.entry.path = path;
    found.entry.type = *type;
    found.trees.push_back(index);
    if (m_detail == Detail::entries) {
      SHEAF_TRY(describe(found, folder, name.name));
    }
    m_found.emplace(name.name, std::move(found));
    return {};
  }

  static Result<std::optional<EntryType>> type_at(const os::Fd& folder, const os::DirectoryEntry& name,
                                                  const std::string& path) {
    switch (name.type) {
    case DT_REG:
      return std::optional(EntryType::file);
    case DT_DIR:
      return std::optional(EntryType::directory);
    case DT_LNK:
      return std::optional(EntryType::symlink);
    default: {
      auto info = look(folder, name.name, path);
      if (!info && info.error().code() == ErrorCode::not_found) {
        // On an overlay mount: it lists the deletions in folders that it does not merge, and finds nothing there.
        return std::optional(EntryType::whiteout);
      }
      SHEAF_TRY(info);
      return type_of(*info);
    }
    }
  }

  const std::string& m_path;
  Detail m_detail;
  std::map<std::string, TreeEntry> m_found;
  std::set<std::string> m_closed; ///< names that trees further down say nothing of
};

Result<bool> hides_all_below(const os::Fd& folder) {
  static const auto k_mark = std::string(os::overlay_prefix()) + "opaque";
  SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_of(folder, "."));
  const auto mark = attributes.find(k_mark);
  return mark != attributes.end() && mark->second == "y";
}

} // namespace

Result<TreeStack> TreeStack::open(std::vector<std::string> trees) {
  TreeStack stack(std::move(trees));
  for (const auto& path : stack.m_paths) {
    SHEAF_TRY_ASSIGN(auto tree, os::open(path, O_RDONLY | O_DIRECTORY));
    stack.m_trees.push_back(std::move(tree));
  }
  return stack;
}

Folder TreeStack::root() const {
  Folder folder;
  for (std::size_t i = m_trees.size(); i > 0; --i) {
    folder.trees.push_back(i - 1);
  }
  return folder;
}

Result<std::vector<TreeEntry>> TreeStack::list(const Folder& folder, Detail detail) const {
  Listing listing(folder.path, detail);
  for (const auto index : folder.trees) {
    SHEAF_TRY_ASSIGN(const auto directory, open_folder(m_trees[index], folder.path));
    SHEAF_TRY(listing.add(directory, index));
  }
  return std::move(listing).take();
}

Result<Folder> TreeStack::enter(const TreeEntry& entry) const {
  Folder folder{entry.entry.path, {}};
  for (const auto index : entry.trees) {
    folder.trees.push_back(index);
    if (index == entry.trees.back()) {
      break; // nothing is below that could be hidden
    }
    SHEAF_TRY_ASSIGN(const auto directory, open_folder(m_trees[index], folder.path));
    SHEAF_TRY_ASSIGN(const bool last, hides_all_below(directory));
    if (last) {
      break;
    }
  }
  return folder;
}

Result<std::optional<TreeEntry>> TreeStack::find(const std::string& path) const {
  auto folder = root();
  std::optional<TreeEntry> found;
  for (const auto part : split(path, '/')) {
    if (found) {
      if (found->entry.type != EntryType::directory) {
        return std::optional<TreeEntry>();
      }
      SHEAF_TRY_ASSIGN(folder, enter(*found));
    }
    SHEAF_TRY_ASSIGN(auto entries, list(folder, Detail::entries));
    const auto wanted = child_path(folder.path, std::string(part));
    found.reset();
    for (auto& entry : entries) {
      if (entry.entry.path == wanted) {
        found = std::move(entry);
        break;
      }
    }
    if (!found) {
      break;
    }
  }
  return found;
}

Result<os::Fd> TreeStack::open_file(const TreeEntry& entry) const {
  return os::open_beneath(m_trees[entry.trees.front()], entry.entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      .context(fmt::format("opening '/{}'", entry.entry.path));
}

Result<std::string> TreeStack::read(const TreeEntry& entry, std::size_t most) const {
  SHEAF_TRY_ASSIGN(const auto file, open_file(entry));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) > most) {
    return Error(ErrorCode::invalid,
                 fmt::format("'/{}' is no file of at most {}", entry.entry.path, human_bytes(most)));
  }
  return os::read_all(file).context(fmt::format("reading '/{}'", entry.entry.path));
}

Result<void> TreeStack::walk(Detail detail, const std::function<Result<void>(const TreeEntry&)>& visit) const {
  std::vector<Folder> open{root()};
  while (!open.empty()) {
    const auto folder = std::move(open.back());
    open.pop_back();
    SHEAF_TRY_ASSIGN(const auto entries, list(folder, detail));
    for (const auto& entry : entries) {
      SHEAF_TRY(visit(entry));
      if (entry.entry.type == EntryType::directory) {
        SHEAF_TRY_ASSIGN(auto inner, enter(entry));
        open.push_back(std::move(inner));
      }
    }
  }
  return {};
}

} // namespace sheaf::sbom
