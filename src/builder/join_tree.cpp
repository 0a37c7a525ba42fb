// SPDX-License-Identifier: Apache-2.0
#include "builder/join_tree.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace sheaf::builder {
namespace {

std::optional<struct stat> look(const os::Fd& root, const std::string& path) {
  struct stat info {};
  const auto file = os::open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (!file || fstat(file->get(), &info) != 0) {
    return std::nullopt;
  }
  return info;
}

} // namespace

Result<void> JoinTree::add_directory(const layer::Entry& wanted) {
  SHEAF_TRY(make_parents(wanted.path + "/"));
  return set_attributes(wanted.path, wanted.mode, wanted.uid, wanted.gid);
}

Result<void> JoinTree::add_file(const std::string& path, const std::string& content,
                                const join::FileAttributes& attributes) {
  SHEAF_TRY(make_parents(path));
  SHEAF_TRY(os::write_file(m_path + "/" + path, content));
  if (const auto below = look(m_below.root(), path)) {
    return set_attributes(path, below->st_mode & 07777U, below->st_uid, below->st_gid);
  }
  SHEAF_TRY_ASSIGN(const auto group, group_id(attributes.group));
  return set_attributes(path, attributes.mode, 0, group);
}

Result<void> JoinTree::add_link(const std::string& path, const join::Link& link) {
  const bool wanted =
      !link.target.empty() && (link.only_if_exists.empty() || look(m_below.root(), link.only_if_exists));
  const auto below = look(m_below.root(), path);
  SHEAF_TRY_ASSIGN(const auto target, m_below.read_link(path));
  if (wanted ? target == link.target : !below) {
    return {};
  }
  if (below && !S_ISLNK(below->st_mode)) {
    return {}; // somebody put a file of his own there; the tools leave it alone as well
  }
  SHEAF_TRY(make_parents(path));
  const auto full = m_path + "/" + path;
  if (!wanted) {
    return mknod(full.c_str(), S_IFCHR, makedev(0, 0)) == 0
               ? Result<void>()
               : Error::from_errno(errno, fmt::format("marking '/{}' as deleted", path));
  }
  if (symlink(link.target.c_str(), full.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("making the link '/{}'", path));
  }
  const std::array<timespec, 2> times = {{{m_epoch, 0}, {m_epoch, 0}}};
  return utimensat(AT_FDCWD, full.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0
             ? Result<void>()
             : Error::from_errno(errno, fmt::format("setting the time of '{}'", full));
}

/// Directories of the topmost layer decide the merged directory's mode and owner, so they repeat what is below.
Result<void> JoinTree::make_parents(const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = path.substr(0, slash);
    if (os::is_directory(m_path + "/" + folder)) {
      continue;
    }
    SHEAF_TRY(os::make_directories(m_path + "/" + folder));
    const auto below = look(m_below.root(), folder);
    SHEAF_TRY(below ? set_attributes(folder, below->st_mode & 07777U, below->st_uid, below->st_gid)
                    : set_attributes(folder, 0755, 0, 0));
  }
  return {};
}

/// The id of a group in the composed root, by the join's own group file if it wrote one.
Result<unsigned> JoinTree::group_id(std::string_view name) const {
  if (name == "root") {
    return 0U;
  }
  SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(m_path + "/etc/group"));
  if (!text) {
    SHEAF_TRY_ASSIGN(text, m_below.read("etc/group"));
  }
  const auto groups = text.value_or(std::string());
  for (const auto line : lines_of(groups)) {
    const auto fields = split(line, ':');
    if (fields.size() > 2 && fields[0] == name) {
      return to_number<unsigned>(fields[2]).value_or(0U);
    }
  }
  return 0U;
}

Result<void> JoinTree::set_attributes(const std::string& path, unsigned mode, unsigned uid, unsigned gid) const {
  const auto full = m_path + "/" + path;
  const std::array<timespec, 2> times = {{{m_epoch, 0}, {m_epoch, 0}}};
  if (chown(full.c_str(), uid, gid) != 0 || chmod(full.c_str(), mode) != 0 ||
      utimensat(AT_FDCWD, full.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the attributes of '{}'", full));
  }
  return {};
}

} // namespace sheaf::builder
