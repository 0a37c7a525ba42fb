// SPDX-License-Identifier: Apache-2.0
#include "archive/unpack.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "os/resolve.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace sheaf::archive {
namespace {

using os::Fd;

constexpr std::string_view k_whiteout = ".wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";
constexpr std::string_view k_aufs = ".wh..wh.";

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

class Unpacker {
public:
  Unpacker(Reader& reader, const Fd& root, std::string directory, const UnpackOptions& options)
      : m_reader(reader),
        m_root(root),
        m_directory(std::move(directory)),
        m_options(options),
        m_initial_namespace(os::in_initial_user_namespace()),
        m_limit(options.most_bytes) {}

  Result<Unpacked> run() {
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto entry, m_reader.next());
      if (!entry) {
        break;
      }
      if (++m_done.entries > m_options.most_entries) {
        return Error(ErrorCode::invalid, fmt::format("the archive has more than {} entries", m_options.most_entries));
      }
      SHEAF_TRY(add(*entry).context(fmt::format("unpacking '{}'", entry->path)));
    }
    set_folder_times();
    m_done.bytes = m_limit.taken();
    m_done.devices_left_out = devices_left_out();
    return std::move(m_done);
  }

private:
  /// Where an entry goes: an open folder and a name in it.
  struct Place {
    const Fd* folder = nullptr;
    std::string name;
    /// Below the root, for messages and for the times of folders.
    std::string path;
    /// What is there now.
    std::optional<struct stat> existing;
  };

  /// A name of the archive as a path below the root.
  std::string path_of(const std::string& name) const {
    const auto clean = os::clean_relative(name);
    return m_directory.empty() || clean.empty() ? m_directory + clean : m_directory + "/" + clean;
  }

  Result<const Fd*> open_folder(const std::string& path) {
    if (!m_folder || m_folder_path != path) {
      auto folder = os::open_in_root(m_root, path.empty() ? "." : path, O_PATH | O_DIRECTORY);
      if (!folder && folder.error().errno_value() == ENOENT && path.size() > m_directory.size()) {
        SHEAF_TRY(make_folder(path));
        folder = os::open_in_root(m_root, path, O_PATH | O_DIRECTORY);
      }
      if (!folder) {
        return std::move(folder).error();
      }
      m_folder = std::move(*folder);
      m_folder_path = path;
    }
    return &m_folder;
  }

  /// A folder that the archive uses but does not list, and those above it.
  Result<void> make_folder(const std::string& path) {
    for (auto slash = path.find('/', m_directory.size() + 1);; slash = path.find('/', slash + 1)) {
      const auto part = path.substr(0, slash);
      if (!os::open_in_root(m_root, part, O_PATH)) {
        SHEAF_TRY_ASSIGN(const Fd above,
                         os::open_in_root(m_root, part.find('/') == std::string::npos ? "." : folder_of(part),
                                          O_PATH | O_DIRECTORY));
        const auto name = base_of(part);
        const auto [uid, gid] = m_options.owner.value_or(std::pair(0U, 0U));
        if (mkdirat(above.get(), name.c_str(), 0755) != 0 || fchmodat(above.get(), name.c_str(), 0755, 0) != 0 ||
            fchownat(above.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
          return Error::from_errno(errno, fmt::format("making folder '{}'", part));
        }
        if (m_options.epoch) {
          m_folder_times.emplace_back(part, *m_options.epoch);
        }
      }
      if (slash == std::string::npos) {
        return {};
      }
    }
  }

  Result<void> add(const Entry& entry) {
    Place place;
    place.path = path_of(entry.path);
    if (place.path == m_directory) {
      return {}; // the directory itself is the business of who made it
    }
    SHEAF_TRY_ASSIGN(place.folder, open_folder(folder_of(place.path)));
    place.name = base_of(place.path);
    if (m_options.whiteouts == Whiteouts::overlay && place.name.starts_with(k_whiteout)) {
      return add_whiteout(place);
    }
    look(place);
    if (entry.type == EntryType::hard_link && path_of(entry.target) == place.path) {
      return place.existing ? Result<void>() : Error(ErrorCode::invalid, "a hard link to itself");
    }
    const bool was_whiteout = place.existing && is_whiteout(*place.existing);
    if (place.existing && !(entry.type == EntryType::directory && S_ISDIR(place.existing->st_mode))) {
      SHEAF_TRY(remove(place));
    }
    SHEAF_TRY(make(entry, place));
    if (was_whiteout && m_options.whiteouts == Whiteouts::overlay && entry.type == EntryType::directory) {
      SHEAF_TRY(set_opaque(*place.folder, place.name));
    }
    if (std::exchange(m_stale, false)) {
      m_folder = Fd();
    }
    return {};
  }

  static void look(Place& place) {
    struct stat info {};
    if (fstatat(place.folder->get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      place.existing = info;
    }
  }

  Result<void> remove(Place& place) {
    if (!S_ISDIR(place.existing->st_mode)) {
      if (unlinkat(place.folder->get(), place.name.c_str(), 0) != 0) {
        return Error::from_errno(errno, "replacing what is there");
      }
    } else {
      SHEAF_TRY(os::remove_all(fmt::format("/proc/self/fd/{}/{}", place.folder->get(), place.name)));
    }
    m_stale = S_ISDIR(place.existing->st_mode) || S_ISLNK(place.existing->st_mode);
    place.existing.reset();
    return {};
  }

  Result<void> make(const Entry& entry, const Place& place) {
    switch (entry.type) {
    case EntryType::file:
      return make_file(entry, place);
    case EntryType::directory:
      return make_directory(entry, place);
    case EntryType::symlink:
      if (symlinkat(entry.target.c_str(), place.folder->get(), place.name.c_str()) != 0) {
        return Error::from_errno(errno, "making a link");
      }
      return stamp(entry, place);
    case EntryType::hard_link:
      return make_hard_link(entry, place);
    case EntryType::character_device:
    case EntryType::block_device:
    case EntryType::fifo:
      break;
    }
    return make_node(entry, place);
  }

  std::pair<unsigned, unsigned> owner_of(const Entry& entry) const {
    return m_options.owner.value_or(std::pair(entry.uid, entry.gid));
  }
  std::int64_t time_of(const Entry& entry) const {
    return m_options.epoch ? std::min(entry.mtime, *m_options.epoch) : entry.mtime;
  }

  Error not_owned(std::string_view doing, std::pair<unsigned, unsigned> owner) const {
    const int number = errno;
    Error error = Error::from_errno(number, doing);
    return number == EINVAL && !m_initial_namespace
               ? std::move(error).with_hint(
                     fmt::format("it belongs to {}:{}, and this user has not enough ids for that: 'grep $USER "
                                 "/etc/subuid /etc/subgid' shows them, 'usermod --add-subuids' and '--add-subgids' "
                                 "give more",
                                 owner.first, owner.second))
               : error;
  }

  /// Owner, mode and time of what is no file, in the order that keeps setuid.
  Result<void> stamp(const Entry& entry, const Place& place) const {
    const auto [uid, gid] = owner_of(entry);
    const timespec time{time_of(entry), 0};
    const std::array<timespec, 2> times = {time, time};
    const int folder = place.folder->get();
    if (fchownat(folder, place.name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return not_owned("setting its owner", {uid, gid});
    }
    if ((entry.type != EntryType::symlink && fchmodat(folder, place.name.c_str(), entry.mode, 0) != 0) ||
        utimensat(folder, place.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, "setting its mode and time");
    }
    return {};
  }

  static Result<void> set_attributes(const Entry& entry, const Fd& fd) {
    for (const auto& [name, value] : entry.attributes) {
      if (!os::is_portable_attribute(name)) {
        continue;
      }
      const auto set = os::set_attribute(fd, name, value);
      if (!set && set.error().errno_value() != ENOTSUP && set.error().errno_value() != EPERM) {
        return set.error();
      }
    }
    return {};
  }

  Result<void> make_file(const Entry& entry, const Place& place) {
    constexpr int k_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    SHEAF_TRY_ASSIGN(const Fd fd, os::open_at(*place.folder, place.name, k_flags, 0600));
    SHEAF_TRY_ASSIGN(const auto content, write_content(m_reader, entry.size, fd, m_limit, m_options.digest));
    if (m_options.digest == ContentDigest::taken) {
      SHEAF_TRY(remember(fd, content));
    }
    const auto [uid, gid] = owner_of(entry);
    const timespec time{time_of(entry), 0};
    const std::array<timespec, 2> times = {time, time};
    if (fchown(fd.get(), uid, gid) != 0) {
      return not_owned("setting its owner", {uid, gid});
    }
    if (fchmod(fd.get(), entry.mode) != 0) {
      return Error::from_errno(errno, "setting its mode");
    }
    SHEAF_TRY(set_attributes(entry, fd));
    return futimens(fd.get(), times.data()) == 0 ? Result<void>() : Error::from_errno(errno, "setting its time");
  }

  /// An inode number comes again when its file was replaced.
  Result<void> remember(const Fd& file, const std::optional<Digest>& content) {
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
    if (content) {
      m_done.contents.insert_or_assign(info.st_ino, *content);
    } else {
      m_done.contents.erase(info.st_ino);
    }
    return {};
  }

  Result<void> make_directory(const Entry& entry, const Place& place) {
    if (!place.existing && mkdirat(place.folder->get(), place.name.c_str(), 0700) != 0) {
      return Error::from_errno(errno, "making a folder");
    }
    SHEAF_TRY(stamp(entry, place));
    if (!entry.attributes.empty()) {
      SHEAF_TRY_ASSIGN(const Fd fd, os::open_at(*place.folder, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      SHEAF_TRY(set_attributes(entry, fd));
    }
    m_folder_times.emplace_back(place.path, time_of(entry));
    return {};
  }

  Result<void> make_hard_link(const Entry& entry, const Place& place) {
    const auto target = path_of(entry.target);
    SHEAF_TRY_ASSIGN(const Fd folder,
                     os::open_in_root(m_root, folder_of(target).empty() ? "." : folder_of(target), O_PATH | O_DIRECTORY)
                         .context(fmt::format("linking to '{}'", entry.target)));
    if (linkat(folder.get(), base_of(target).c_str(), place.folder->get(), place.name.c_str(), 0) != 0) {
      return Error::from_errno(errno, fmt::format("linking to '{}'", entry.target));
    }
    return {};
  }

  Result<void> make_node(const Entry& entry, const Place& place) {
    const mode_t type = entry.type == EntryType::fifo               ? S_IFIFO
                        : entry.type == EntryType::character_device ? S_IFCHR
                                                                    : S_IFBLK;
    const auto device = entry.type == EntryType::fifo ? dev_t{0} : makedev(entry.device_major, entry.device_minor);
    // 0:0 would be a whiteout of overlayfs.
    if ((type == S_IFCHR && device == makedev(0, 0)) ||
        (type != S_IFIFO && (!m_initial_namespace || m_options.devices == Devices::left_out))) {
      leave_out(entry, place);
      return {};
    }
    if (mknodat(place.folder->get(), place.name.c_str(), type | 0600U, device) != 0) {
      if (errno == EPERM && type != S_IFIFO) {
        leave_out(entry, place);
        return {};
      }
      return Error::from_errno(errno, "making a special file");
    }
    return stamp(entry, place);
  }

  void leave_out(const Entry& entry, const Place& place) {
    auto& device = m_devices.insert_or_assign(place.path, entry).first->second;
    device.path = place.path;
  }

  /// Those whose place was not taken by something else later.
  std::vector<Entry> devices_left_out() {
    std::vector<Entry> devices;
    for (auto& [path, entry] : m_devices) {
      if (!os::open_in_root(m_root, path, O_PATH | O_NOFOLLOW)) {
        devices.push_back(std::move(entry));
      }
    }
    return devices;
  }

  Result<void> add_whiteout(Place& place) {
    if (place.name == k_opaque) {
      const auto folder = folder_of(place.path);
      SHEAF_TRY_ASSIGN(const Fd fd, os::open_in_root(m_root, folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
      return os::set_attribute(fd, std::string(os::overlay_prefix()) + "opaque", "y");
    }
    if (place.name.starts_with(k_aufs)) {
      return {}; // other notes of aufs say nothing about files
    }
    place.name.erase(0, k_whiteout.size());
    if (place.name.empty() || place.name == "." || place.name == "..") {
      return Error(ErrorCode::invalid, "a whiteout of nothing");
    }
    look(place);
    if (place.existing) {
      // It hides what lower layers have, not what this one brings.
      return S_ISDIR(place.existing->st_mode) ? set_opaque(*place.folder, place.name) : Result<void>();
    }
    if (mknodat(place.folder->get(), place.name.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
      return Error::from_errno(errno, "making a whiteout");
    }
    const std::array<timespec, 2> never{};
    utimensat(place.folder->get(), place.name.c_str(), never.data(), AT_SYMLINK_NOFOLLOW);
    return {};
  }

  static Result<void> set_opaque(const Fd& folder, const std::string& name) {
    SHEAF_TRY_ASSIGN(const Fd fd, os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return os::set_attribute(fd, std::string(os::overlay_prefix()) + "opaque", "y");
  }

  /// Last of all: every file made in a folder changes its time. One that was replaced since has none to set.
  void set_folder_times() {
    for (const auto& [path, seconds] : m_folder_times) {
      const auto folder = os::open_in_root(m_root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const timespec time{seconds, 0};
      const std::array<timespec, 2> times = {time, time};
      if (folder) {
        futimens(folder->get(), times.data());
      }
    }
  }

  Reader& m_reader;
  const Fd& m_root;
  const std::string m_directory;
  const UnpackOptions& m_options;
  const bool m_initial_namespace;
  Unpacked m_done;
  std::map<std::string, Entry> m_devices;
  ByteLimit m_limit;
  /// The folder of the entry before, which is mostly that of the next.
  Fd m_folder;
  std::string m_folder_path;
  /// A folder, or a link to one, was replaced: the path of the open folder may mean another one now.
  bool m_stale = false;
  std::vector<std::pair<std::string, std::int64_t>> m_folder_times;
};

} // namespace

Result<Unpacked> unpack(Reader& reader, const Fd& root, const std::string& directory, const UnpackOptions& options) {
  SHEAF_TRY_ASSIGN(auto start, os::resolve_in_root(root, directory, os::Missing::fails));
  return Unpacker(reader, root, std::move(start.path), options).run();
}

} // namespace sheaf::archive
