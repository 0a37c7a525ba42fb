// SPDX-License-Identifier: Apache-2.0
#include "sandbox/copy_entries.hpp"

#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sheaf::sandbox {
namespace {

using os::Fd;

/// Files up to this size are read and written with one call each.
constexpr std::size_t k_small = 65536;

/// Removes what is in the way of a new file; a folder is not removed.
Result<void> make_room(const Fd& folder, const std::string& name) {
  if (unlinkat(folder.get(), name.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno == EISDIR || errno == EPERM) {
    return Error(ErrorCode::conflict, fmt::format("there is a folder '{}' already, which a file cannot replace", name))
        .with_hint("copy into the folder (a destination that ends with '/') or remove it first");
  }
  return Error::from_errno(errno, fmt::format("replacing '{}'", name));
}

/// Calls `make` (0 or -1), and once more when something was in the way.
template <class Make>
Result<void> make_new(const Fd& folder, const std::string& name, std::string_view what, const Make& make) {
  if (os::uninterrupted(make) == 0) {
    return {};
  }
  if (errno == EEXIST) {
    SHEAF_TRY(make_room(folder, name));
    if (os::uninterrupted(make) == 0) {
      return {};
    }
  }
  return Error::from_errno(errno, fmt::format("making {} '{}'", what, name));
}

Result<void> read_and_write(const Fd& from, const Fd& to) {
  std::array<char, k_small> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error::from_errno(errno, "reading");
    }
    if (got > 0) {
      SHEAF_TRY(os::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
    }
    if (static_cast<std::size_t>(got) < buffer.size()) {
      return {}; // a regular file: less than was asked for is its end
    }
  }
}

/// Bytes [begin, end), shared with the source where the file system can.
Result<void> copy_range(const Fd& from, const Fd& to, off_t begin, off_t end) {
  while (begin < end) {
    off_t read_at = begin;
    off_t write_at = begin;
    const auto done =
        copy_file_range(from.get(), &read_at, to.get(), &write_at, static_cast<std::size_t>(end - begin), 0);
    if (done > 0) {
      begin += done;
    } else if (done == 0) {
      return {}; // it became shorter
    } else if (errno != EINTR) {
      if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
        return Error::from_errno(errno, "copying");
      }
      std::array<char, k_small> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by pread
      const auto wanted = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - begin));
      const auto got = os::uninterrupted([&] { return pread(from.get(), buffer.data(), wanted, begin); });
      if (got <= 0) {
        return got == 0 ? Result<void>() : Error::from_errno(errno, "reading");
      }
      if (lseek(to.get(), begin, SEEK_SET) < 0) {
        return Error::from_errno(errno, "writing");
      }
      SHEAF_TRY(os::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
      begin += got;
    }
  }
  return {};
}

/// A large file: holes stay holes.
Result<void> copy_segments(const Fd& from, const Fd& to, off_t size) {
  for (off_t at = 0; at < size;) {
    const auto data = lseek(from.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
      break; // a hole up to the end
    }
    const auto begin = data < 0 ? at : data;
    const auto hole = data < 0 ? off_t{-1} : lseek(from.get(), begin, SEEK_HOLE);
    const auto end = hole < 0 ? size : std::min(hole, size);
    SHEAF_TRY(copy_range(from, to, begin, end));
    at = std::max(end, begin + 1);
  }
  return os::uninterrupted([&] { return ftruncate(to.get(), size); }) == 0
             ? Result<void>()
             : Error::from_errno(errno, "making a file of its size");
}

/// Attributes that the file system or the namespace does not take are left out.
Result<void> copy_attributes(const Fd& from, const Fd& to, const std::string& name) {
  if (flistxattr(from.get(), nullptr, 0) <= 0) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_of(from, name));
  for (const auto& [key, value] : attributes) {
    if (os::is_portable_attribute(key)) {
      const auto set = os::set_attribute(to, key, value);
      if (!set && set.error().errno_value() != ENOTSUP && set.error().errno_value() != EPERM) {
        return set.error();
      }
    }
  }
  return {};
}

Result<struct stat> look(const Fd& folder, const std::string& name) {
  struct stat info {};
  if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("looking at '{}'", name));
  }
  return info;
}

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

} // namespace

std::pair<unsigned, unsigned> EntryCopier::owner_of(const struct stat& info) const {
  return m_attributes.owner.value_or(std::pair(info.st_uid, info.st_gid));
}
mode_t EntryCopier::mode_of(const struct stat& info) const {
  return m_attributes.mode ? m_attributes.mode->apply(info.st_mode) : info.st_mode & 07777U;
}
timespec EntryCopier::time_of(const struct stat& info) const {
  return m_attributes.epoch ? timespec{*m_attributes.epoch, 0} : info.st_mtim;
}

Result<void> EntryCopier::copy_folder(const context::SelectedSource& source) {
  for (const auto& entry : source.entries) {
    SHEAF_TRY(leave_all_but_parents_of(entry.name));
    const auto doing = [&entry] { return fmt::format("copying '/{}'", entry.source); };
    if (entry.type == DT_DIR) {
      SHEAF_TRY(enter(entry).context(doing()));
      continue;
    }
    const auto name = last_component(entry.name);
    if (auto copied = copy_one(m_folders.back(), name, name, entry.name); !copied) {
      return std::move(copied).error().with_context(doing());
    }
  }
  while (!m_folders.empty()) {
    SHEAF_TRY(leave());
  }
  return {};
}

Result<void> EntryCopier::leave_all_but_parents_of(const std::string& name) {
  while (m_folders.size() > 1) {
    const auto& top = m_folders.back().name;
    if (name.size() > top.size() && name[top.size()] == '/' && name.starts_with(top)) {
      return {};
    }
    SHEAF_TRY(leave());
  }
  return {};
}

Result<void> EntryCopier::leave() {
  const auto folder = std::move(m_folders.back());
  m_folders.pop_back();
  if (folder.time) {
    const std::array<timespec, 2> times = {*folder.time, *folder.time};
    if (futimens(folder.to.get(), times.data()) != 0) {
      return Error::from_errno(errno, fmt::format("setting the time of '{}'", folder.name));
    }
  }
  return {};
}

Result<void> EntryCopier::enter(const context::SelectedEntry& entry) {
  constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  Folder folder;
  folder.name = entry.name;
  if (entry.name.empty()) {
    SHEAF_TRY_ASSIGN(folder.from, os::open_beneath(m_tree, entry.source.empty() ? "." : entry.source, k_flags));
    SHEAF_TRY_ASSIGN(folder.to, os::open_at(m_target, ".", k_flags));
    // It was there, or made, before: what it is stays.
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(folder.to));
    folder.time = m_attributes.epoch ? timespec{*m_attributes.epoch, 0} : info.st_mtim;
    folder.gives_group = (info.st_mode & S_ISGID) != 0;
    m_folders.push_back(std::move(folder));
    return {};
  }
  const auto& parent = m_folders.back();
  const auto name = last_component(entry.name);
  SHEAF_TRY_ASSIGN(folder.from, os::open_at(parent.from, name, k_flags));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(folder.from));
  const bool made = mkdirat(parent.to.get(), name.c_str(), 0700) == 0;
  if (!made) {
    if (errno != EEXIST) {
      return Error::from_errno(errno, fmt::format("making folder '{}'", name));
    }
    SHEAF_TRY_ASSIGN(const auto there, look(parent.to, name));
    if (!S_ISDIR(there.st_mode)) {
      return Error(ErrorCode::conflict, fmt::format("there is {} '{}' already, which a folder cannot replace",
                                                    S_ISLNK(there.st_mode) ? "a link" : "a file", name))
          .with_hint("remove it in an earlier step, or copy to where the link leads");
    }
    folder.time = there.st_mtim;
  }
  SHEAF_TRY_ASSIGN(folder.to, os::open_at(parent.to, name, k_flags));
  folder.gives_group = (mode_of(info) & S_ISGID) != 0;
  if (!made && entry.is_parent) {
    if (fchmod(folder.to.get(), mode_of(info)) != 0) {
      return Error::from_errno(errno, "setting its mode");
    }
  } else {
    folder.time = time_of(info);
    SHEAF_TRY(set_folder_attributes(folder, info));
  }
  m_folders.push_back(std::move(folder));
  return {};
}

Result<void> EntryCopier::set_folder_attributes(const Folder& folder, const struct stat& info) const {
  const auto [uid, gid] = owner_of(info);
  if (fchown(folder.to.get(), uid, gid) != 0 || fchmod(folder.to.get(), mode_of(info)) != 0) {
    return Error::from_errno(errno, "setting owner and mode");
  }
  return copy_attributes(folder.from, folder.to, folder.name);
}

Result<void> EntryCopier::copy_one(const Folder& folder, const std::string& from_name, const std::string& name,
                                   const std::string& path) {
  // Whoever writes to a fifo must not keep us waiting, and opening a device must do nothing.
  const int fd = os::or_as_caller([&] {
    return openat(folder.from.get(), from_name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  });
  const int failure = errno;
  const Fd from(fd);
  if (from) {
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(from));
    if (S_ISREG(info.st_mode)) {
      SHEAF_TRY_ASSIGN(const bool linked, link_to_first(info, folder, name, path));
      return linked ? Result<void>() : copy_content(from, info, folder, name);
    }
  }
  SHEAF_TRY_ASSIGN(const auto info, look(folder.from, from_name));
  if (S_ISREG(info.st_mode)) {
    return Error::from_errno(failure, fmt::format("opening '{}'", from_name));
  }
  return copy_special(info, folder, from_name, name);
}

Result<bool> EntryCopier::link_to_first(const struct stat& info, const Folder& folder, const std::string& name,
                                        const std::string& path) {
  if (info.st_nlink < 2) {
    return false;
  }
  const auto [first, is_new] = m_inodes.emplace(std::pair(info.st_dev, info.st_ino), path);
  if (is_new) {
    return false;
  }
  SHEAF_TRY(make_new(folder.to, name, "hard link", [&, &target = first->second] {
    return linkat(m_target.get(), target.c_str(), folder.to.get(), name.c_str(), 0);
  }));
  return true;
}

Result<void> EntryCopier::copy_content(const Fd& from, const struct stat& info, const Folder& folder,
                                       const std::string& name) {
  const auto mode = mode_of(info);
  int fd = -1;
  SHEAF_TRY(make_new(folder.to, name, "file", [&] {
    fd = openat(folder.to.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777U);
    return fd < 0 ? -1 : 0;
  }));
  const Fd to(fd);
  if (static_cast<std::size_t>(info.st_size) <= k_small) {
    SHEAF_TRY(read_and_write(from, to));
  } else {
    SHEAF_TRY(copy_segments(from, to, info.st_size));
  }
  const auto [uid, gid] = owner_of(info);
  if ((uid != 0 || gid != 0 || folder.gives_group) && fchown(fd, uid, gid) != 0) {
    return Error::from_errno(errno, "setting its owner");
  }
  // After the owner, whose change takes setuid away; write permissions of others are what a umask keeps back.
  if ((mode & 07022U) != 0 && fchmod(fd, mode) != 0) {
    return Error::from_errno(errno, "setting its mode");
  }
  SHEAF_TRY(copy_attributes(from, to, name));
  const auto time = time_of(info);
  const std::array<timespec, 2> times = {time, time};
  return futimens(fd, times.data()) == 0 ? Result<void>() : Error::from_errno(errno, "setting its time");
}

Result<void> EntryCopier::copy_special(const struct stat& info, const Folder& folder, const std::string& from_name,
                                       const std::string& name) {
  const int to = folder.to.get();
  if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(folder.from, from_name));
    SHEAF_TRY(make_new(folder.to, name, "link", [&] { return symlinkat(target.c_str(), to, name.c_str()); }));
  } else {
    const auto made = make_new(folder.to, name, "special file", [&] {
      return mknodat(to, name.c_str(), (info.st_mode & S_IFMT) | 0600U, info.st_rdev);
    });
    if (!made && made.error().errno_value() == EPERM) {
      return Error(ErrorCode::unsupported, fmt::format("'{}' is a device, which only root can make", name))
          .with_hint("leave it out with .dockerignore or --exclude, or build as root");
    }
    SHEAF_TRY(made);
  }
  const auto [uid, gid] = owner_of(info);
  const auto time = time_of(info);
  const std::array<timespec, 2> times = {time, time};
  if (fchownat(to, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      (!S_ISLNK(info.st_mode) && fchmodat(to, name.c_str(), mode_of(info), 0) != 0) ||
      utimensat(to, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting owner, mode and time of '{}'", name));
  }
  return {};
}

Result<void> EntryCopier::copy_file(const std::string& source, const std::string& name) {
  constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const auto slash = source.rfind('/');
  Folder folder;
  SHEAF_TRY_ASSIGN(folder.from,
                   os::open_beneath(m_tree, slash == std::string::npos ? "." : source.substr(0, slash), k_flags));
  SHEAF_TRY_ASSIGN(folder.to, os::open_at(m_target, ".", k_flags));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(folder.to));
  folder.gives_group = (info.st_mode & S_ISGID) != 0;
  return copy_one(folder, last_component(source), name, name).context(fmt::format("copying '/{}'", source));
}

Result<void> EntryCopier::copy_host_file(const Fd& from, const std::string& name, std::optional<unsigned> mode) {
  Folder folder;
  SHEAF_TRY_ASSIGN(folder.to, os::open_at(m_target, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  SHEAF_TRY_ASSIGN(const auto target, os::stat_of(folder.to));
  folder.gives_group = (target.st_mode & S_ISGID) != 0;
  SHEAF_TRY_ASSIGN(auto info, os::stat_of(from));
  info.st_mode = mode ? S_IFREG | (*mode & 07777U) : info.st_mode;
  return copy_content(from, info, folder, name).context(fmt::format("copying '{}'", name));
}

} // namespace sheaf::sandbox
