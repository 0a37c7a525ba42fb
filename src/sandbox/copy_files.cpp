// SPDX-License-Identifier: Apache-2.0
#include "sandbox/copy_files.hpp"

#include "base/text.hpp"
#include "os/file.hpp"
#include "sandbox/process_setup.hpp"
#include "sandbox/root_setup.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::sandbox {
namespace {

using os::Fd;

std::string base_name(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// What every written entry gets, with the owner's name already looked up.
struct Attributes {
  unsigned uid = 0;
  unsigned gid = 0;
  std::optional<unsigned> mode;
  std::optional<long long> epoch;
  unsigned mode_for(const struct stat& source) const { return mode.value_or(source.st_mode & 07777U); }
};

Result<void> stamp_entry(const Fd& folder, const std::string& name, const Attributes& copy) {
  const timespec time = copy.epoch ? timespec{*copy.epoch, 0} : timespec{0, UTIME_OMIT};
  const std::array<timespec, 2> times = {{time, time}};
  if (fchownat(folder.get(), name.c_str(), copy.uid, copy.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      utimensat(folder.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting owner and time of '{}'", name));
  }
  return {};
}

Result<void> copy_bytes(const Fd& from, const Fd& to) {
  for (;;) {
    const auto done = sendfile(to.get(), from.get(), nullptr, std::size_t{1} << 30U);
    if (done == 0) {
      return {};
    }
    if (done < 0 && errno != EINTR) {
      return Error::from_errno(errno, "copying a file");
    }
  }
}

Result<void> copy_file(const Fd& from, const Fd& folder, const std::string& name, const Attributes& copy) {
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(from));
  if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, fmt::format("replacing '{}'", name));
  }
  SHEAF_TRY_ASSIGN(const Fd to, os::open_at(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  SHEAF_TRY(copy_bytes(from, to));
  SHEAF_TRY(stamp_entry(folder, name, copy));
  if (fchmod(to.get(), copy.mode_for(info)) != 0) { // after the chown, which clears setuid
    return Error::from_errno(errno, fmt::format("setting the mode of '{}'", name));
  }
  return {};
}

Result<void> copy_link(const Fd& from_folder, const std::string& from_name, const Fd& folder, const std::string& name,
                       const Attributes& copy) {
  SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(from_folder, from_name));
  unlinkat(folder.get(), name.c_str(), 0);
  if (symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) {
    return Error::from_errno(errno, fmt::format("creating symlink '{}'", name));
  }
  return stamp_entry(folder, name, copy);
}

Result<void> copy_contents(const Fd& from, const Fd& to, const Attributes& copy);

Result<void> copy_directory(const Fd& from, const Fd& folder, const std::string& name, const Attributes& copy) {
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(from));
  const bool made = mkdirat(folder.get(), name.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) {
    return Error::from_errno(errno, fmt::format("creating directory '{}'", name));
  }
  SHEAF_TRY_ASSIGN(const Fd to, os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  SHEAF_TRY(copy_contents(from, to, copy));
  if (made && fchmod(to.get(), copy.mode_for(info)) != 0) {
    return Error::from_errno(errno, fmt::format("setting the mode of '{}'", name));
  }
  return made ? stamp_entry(folder, name, copy) : Result<void>();
}

Result<void> copy_entry(const Fd& from_folder, const os::DirectoryEntry& entry, const Fd& to, const Attributes& copy) {
  if (entry.type == DT_LNK) {
    return copy_link(from_folder, entry.name, to, entry.name, copy);
  }
  SHEAF_TRY_ASSIGN(const Fd from, os::open_at(from_folder, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (entry.type == DT_DIR) {
    return copy_directory(from, to, entry.name, copy);
  }
  if (entry.type != DT_REG) {
    return Error(ErrorCode::unsupported, fmt::format("'{}' is neither file, directory nor symlink", entry.name));
  }
  return copy_file(from, to, entry.name, copy);
}

Result<void> copy_contents(const Fd& from, const Fd& to, const Attributes& copy) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(from));
  for (const auto& entry : entries) {
    SHEAF_TRY(copy_entry(from, entry, to, copy).context(entry.name));
  }
  return {};
}

/// One source of the instruction: a file lands in or as the destination, a directory's contents land in it.
Result<void> copy_source(const std::string& source, const CopyFiles& copy, const Attributes& attributes,
                         const Fd& context, const std::string& root) {
  SHEAF_TRY_ASSIGN(const Fd from, os::open_beneath(context, source, O_RDONLY));
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(from));
  SHEAF_TRY_ASSIGN(const Fd root_fd, os::open(root, O_RDONLY | O_DIRECTORY));
  const auto existing = os::open_in_root(root_fd, copy.destination, O_RDONLY | O_DIRECTORY);
  const bool into = copy.destination.ends_with('/') || existing.has_value() || S_ISDIR(info.st_mode);
  const auto slash = copy.destination.find_last_of('/');
  const auto folder = into ? copy.destination : copy.destination.substr(0, slash + 1);
  SHEAF_TRY(make_directory_in_root(
      folder.size() > 1 && folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder, root));
  SHEAF_TRY_ASSIGN(const Fd to, os::open_in_root(root_fd, folder, O_RDONLY | O_DIRECTORY));
  if (S_ISDIR(info.st_mode)) {
    return copy_contents(from, to, attributes);
  }
  return copy_file(from, to, into ? base_name(source) : base_name(copy.destination), attributes);
}

Result<std::string> text_in_root(const std::string& root, const std::string& path) {
  SHEAF_TRY_ASSIGN(const Fd root_fd, os::open(root, O_RDONLY | O_DIRECTORY));
  const auto file = os::open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK);
  const auto info = file ? os::stat_of(*file) : Result<struct stat>(file.error());
  return info && S_ISREG(info->st_mode) ? os::read_all(*file) : Result<std::string>(std::string());
}

Result<Attributes> attributes_of(const CopyFiles& copy, const std::string& root) {
  SHEAF_TRY_ASSIGN(const auto passwd, text_in_root(root, "/etc/passwd"));
  SHEAF_TRY_ASSIGN(const auto group, text_in_root(root, "/etc/group"));
  SHEAF_TRY_ASSIGN(const auto owner, resolve_user(copy.owner.empty() ? "0:0" : copy.owner, passwd, group));
  return Attributes{owner.uid, owner.gid, to_number<unsigned>(copy.mode, 8), copy.epoch};
}

} // namespace

Result<void> copy_files(const CopyFiles& copy, const std::string& root) {
  SHEAF_TRY_ASSIGN(const auto attributes, attributes_of(copy, root));
  SHEAF_TRY_ASSIGN(const Fd context, os::open(copy.tree.front(), O_RDONLY | O_DIRECTORY));
  for (const auto& source : copy.sources) {
    SHEAF_TRY(copy_source(source, copy, attributes, context, root).context(fmt::format("copying '{}'", source)));
  }
  return {};
}

} // namespace sheaf::sandbox
