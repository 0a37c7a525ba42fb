// SPDX-License-Identifier: Apache-2.0
#include "builder/flatten.hpp"

#include "layer/parent_view.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

namespace sheaf::builder {
namespace {

using os::Fd;

std::optional<struct stat> look(const Fd& folder, const std::string& name) {
  struct stat info {};
  return folder && fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 ? std::optional(info)
                                                                                        : std::nullopt;
}

/// One directory as overlayfs shows it, beside the directories that it is made of.
struct Folder {
  const Fd& view;
  /// Topmost first, as `Flattener::m_trees`; empty where a tree has no such directory.
  const std::vector<Fd>& trees;
  const Fd& into;
  /// Root-relative with a trailing slash; empty for the root.
  std::string prefix;
};

/// Where the view has a file from.
struct Origin {
  const Fd& folder;
  struct stat info;
  bool is_own = false;
};

Result<void> set_metadata(const Fd& into, const std::string& name, const struct stat& info,
                          const std::map<std::string, std::string>& attributes) {
  if (fchownat(into.get(), name.c_str(), info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      (!S_ISLNK(info.st_mode) && fchmodat(into.get(), name.c_str(), info.st_mode & 07777U, 0) != 0)) {
    return Error::from_errno(errno, "setting its owner and mode");
  }
  for (const auto& [attribute, value] : attributes) { // after the owner: changing it drops capabilities
    if (os::is_portable_attribute(attribute)) {
      SHEAF_TRY(os::set_attribute_at(into, name, attribute, value));
    }
  }
  return {};
}

Result<void> copy_content(const Fd& from, const Fd& to) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto sent = copy_file_range(from.get(), nullptr, to.get(), nullptr, std::size_t{1} << 30U, 0);
    if (sent == 0) {
      return {};
    }
    if (sent < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
      break; // between file systems that cannot do it
    }
    if (sent < 0 && errno != EINTR) {
      return Error::from_errno(errno, "copying it");
    }
  }
  for (;;) {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got == 0) {
      return {};
    }
    if (got < 0 && errno != EINTR) {
      return Error::from_errno(errno, "reading it");
    }
    if (got > 0) {
      SHEAF_TRY(os::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
    }
  }
}

class Flattener {
public:
  Flattener(std::int64_t epoch, const Fd& root) : m_epoch(epoch), m_root(root) {}

  Result<void> walk(const Folder& folder) {
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder.view));
    for (const auto& entry : entries) {
      SHEAF_TRY(visit(folder, entry.name).context(fmt::format("'/{}{}'", folder.prefix, entry.name)));
    }
    return {};
  }

  const Flattened& counts() const { return m_counts; }

private:
  Result<void> visit(const Folder& folder, const std::string& name) {
    const auto info = look(folder.view, name);
    if (!info) {
      return Error::from_errno(errno, "looking at it");
    }
    if (S_ISDIR(info->st_mode)) {
      return visit_directory(folder, name, *info);
    }
    if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode) || S_ISSOCK(info->st_mode)) {
      const bool is_deletion = S_ISCHR(info->st_mode) && info->st_rdev == 0;
      m_counts.left_out += is_deletion ? 0U : 1U;
      return {};
    }
    const auto origin = origin_of(folder, name);
    if (!origin) {
      return Error(ErrorCode::corrupt, "no tree of the image has it, though their union does");
    }
    return place(*origin, folder, name);
  }

  /// The topmost tree that has the name is the one it is seen from: one above would hide it.
  static std::optional<Origin> origin_of(const Folder& folder, const std::string& name) {
    for (std::size_t i = 0; i < folder.trees.size(); ++i) {
      if (const auto info = look(folder.trees[i], name)) {
        return Origin{folder.trees[i], *info, i == 0};
      }
    }
    return std::nullopt;
  }

  Result<void> visit_directory(const Folder& folder, const std::string& name, const struct stat& info) {
    if (mkdirat(folder.into.get(), name.c_str(), 0700) != 0) {
      return Error::from_errno(errno, "making a directory");
    }
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(folder.view, name));
    SHEAF_TRY(set_metadata(folder.into, name, info, attributes));
    SHEAF_TRY_ASSIGN(const Fd view, os::open_at(folder.view, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(const Fd into, os::open_at(folder.into, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    std::vector<Fd> trees;
    for (const auto& tree : folder.trees) {
      const auto there = look(tree, name);
      if (there && S_ISDIR(there->st_mode)) {
        SHEAF_TRY_ASSIGN(auto inner, os::open_at(tree, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        trees.push_back(std::move(inner));
      } else {
        trees.emplace_back();
      }
    }
    return walk({view, trees, into, folder.prefix + name + "/"});
  }

  /// May its inode be ours as well, though whoever captures the result may set times and remove overlayfs's marks?
  Result<bool> may_share(const Origin& origin, const std::string& name) const {
    if (origin.is_own) {
      return true;
    }
    if (origin.info.st_mtim.tv_nsec != 0 || origin.info.st_mtim.tv_sec > m_epoch) {
      return false;
    }
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(origin.folder, name));
    const auto is_mark = [](const auto& attribute) { return attribute.first.starts_with(os::overlay_prefix()); };
    return std::ranges::none_of(attributes, is_mark);
  }

  Result<void> place(const Origin& origin, const Folder& folder, const std::string& name) {
    SHEAF_TRY_ASSIGN(const bool share, may_share(origin, name));
    if (share && linkat(origin.folder.get(), name.c_str(), folder.into.get(), name.c_str(), 0) == 0) {
      ++m_counts.shared;
      return {};
    }
    const std::pair inode(origin.info.st_dev, origin.info.st_ino);
    const auto path = folder.prefix + name;
    if (const auto first = m_copies.find(inode); first != m_copies.end()) {
      return linkat(m_root.get(), first->second.c_str(), folder.into.get(), name.c_str(), 0) == 0
                 ? Result<void>()
                 : Error::from_errno(errno, "giving a copy a second name");
    }
    SHEAF_TRY(copy(origin, folder.into, name));
    ++m_counts.copied;
    if (origin.info.st_nlink > 1) {
      m_copies.emplace(inode, path);
    }
    return {};
  }

  static Result<void> copy(const Origin& origin, const Fd& into, const std::string& name) {
    const auto& info = origin.info;
    if (S_ISLNK(info.st_mode)) {
      SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(origin.folder, name));
      if (symlinkat(target.c_str(), into.get(), name.c_str()) != 0) {
        return Error::from_errno(errno, "making a symlink");
      }
    } else if (S_ISFIFO(info.st_mode)) {
      if (mkfifoat(into.get(), name.c_str(), 0600) != 0) {
        return Error::from_errno(errno, "making a fifo");
      }
    } else {
      SHEAF_TRY_ASSIGN(const Fd from, os::open_at(origin.folder, name, O_RDONLY | O_NOFOLLOW));
      SHEAF_TRY_ASSIGN(Fd to, os::open_at(into, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
      SHEAF_TRY(copy_content(from, to));
      SHEAF_TRY(to.close());
    }
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(origin.folder, name));
    SHEAF_TRY(set_metadata(into, name, info, attributes));
    const std::array<timespec, 2> times = {info.st_mtim, info.st_mtim};
    return utimensat(into.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0
               ? Result<void>()
               : Error::from_errno(errno, "setting its time");
  }

  std::int64_t m_epoch;
  const Fd& m_root;
  Flattened m_counts;
  std::map<std::pair<dev_t, ino_t>, std::string> m_copies; ///< of files with several names: path of the first copy
};

} // namespace

Result<Flattened> flatten(const std::vector<std::string>& trees, const std::string& own, std::int64_t epoch,
                          const std::string& into) {
  constexpr auto k_doing = "making one tree of an image";
  auto all = trees;
  all.push_back(own);
  SHEAF_TRY_ASSIGN(const auto view, layer::ParentView::open(all).context(k_doing));
  std::vector<Fd> folders;
  std::ranges::reverse(all);
  for (const auto& tree : all) {
    SHEAF_TRY_ASSIGN(auto folder, os::open(tree, O_RDONLY | O_DIRECTORY).context(k_doing));
    folders.push_back(std::move(folder));
  }
  SHEAF_TRY_ASSIGN(const Fd root, os::open(into, O_RDONLY | O_DIRECTORY).context(k_doing));
  Flattener flattener(epoch, root);
  SHEAF_TRY(flattener.walk({view.root(), folders, root, ""}).context(k_doing));
  return flattener.counts();
}

} // namespace sheaf::builder
