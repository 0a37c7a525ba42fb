// SPDX-License-Identifier: Apache-2.0
#include "archive/tree_writer.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

namespace sheaf::archive {
namespace {

using Inode = std::pair<dev_t, ino_t>;

bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

/// Adds all of a directory, folder by folder.
class TreeWriter {
public:
  TreeWriter(TarWriter& writer, const TreeOptions& options)
      : m_writer(writer), m_options(options), m_opaque(std::string(os::overlay_prefix()) + "opaque") {
    for (const auto& device : options.devices) {
      const auto slash = device.path.rfind('/');
      m_devices[slash == std::string::npos ? "" : device.path.substr(0, slash)].emplace(device.path.substr(slash + 1),
                                                                                        &device);
    }
  }

  Result<std::uint64_t> run(const os::Fd& given) {
    // A mount is given as O_PATH, of which no attribute can be read.
    SHEAF_TRY_ASSIGN(const auto directory, os::open_at(given, ".", O_RDONLY | O_DIRECTORY));
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_of(directory, "."));
    SHEAF_TRY(opaque_mark(attributes, ""));
    SHEAF_TRY(folder(directory, ""));
    return m_entries;
  }

private:
  bool as_layer() const { return m_options.whiteouts == Whiteouts::overlay; }

  Result<void> folder(const os::Fd& fd, const std::string& path) {
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(fd));
    auto devices = m_devices[path]; // by name: both lists are merged
    for (const auto& entry : entries) {
      while (!devices.empty() && devices.begin()->first < entry.name) {
        SHEAF_TRY(write(*devices.begin()->second, nullptr));
        devices.erase(devices.begin());
      }
      devices.erase(entry.name);
      const auto name = joined(path, entry.name);
      SHEAF_TRY(one(fd, entry.name, name).context(fmt::format("adding '{}'", name)));
    }
    for (const auto& [name, device] : devices) {
      SHEAF_TRY(write(*device, nullptr));
    }
    return {};
  }

  Result<void> one(const os::Fd& parent, const std::string& name, const std::string& path) {
    if (m_options.stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    struct stat info {};
    if (fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, "looking at it");
    }
    if (S_ISSOCK(info.st_mode)) {
      return {};
    }
    if (as_layer() && is_whiteout(info)) {
      return mark(path.substr(0, path.size() - name.size()) + ".wh." + name);
    }
    if (as_layer() && name.starts_with(".wh.")) {
      return Error(ErrorCode::unsupported, "in a layer of an image this name means that a file is deleted")
          .with_hint("give the file another name");
    }
    SHEAF_TRY_ASSIGN(auto entry, describe(parent, name, path, info));
    if (entry.type == EntryType::directory) {
      return directory(parent, name, std::move(entry));
    }
    if (entry.type != EntryType::file) {
      return write(entry, nullptr);
    }
    SHEAF_TRY_ASSIGN(const auto fd, os::open_at(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return write(entry, &fd);
  }

  Result<void> directory(const os::Fd& parent, const std::string& name, Entry entry) {
    const auto attributes = entry.attributes;
    if (as_layer()) {
      std::erase_if(entry.attributes, [](const auto& pair) { return !os::is_portable_attribute(pair.first); });
    }
    SHEAF_TRY(write(entry, nullptr));
    SHEAF_TRY(opaque_mark(attributes, entry.path + "/"));
    SHEAF_TRY_ASSIGN(const auto fd, os::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return folder(fd, entry.path);
  }

  /// Before the folder's other entries: readers may take it to hide those that came before.
  Result<void> opaque_mark(const std::map<std::string, std::string>& attributes, const std::string& folder) {
    const auto found = attributes.find(m_opaque);
    return as_layer() && found != attributes.end() && found->second == "y" ? mark(folder + ".wh..wh..opq")
                                                                           : Result<void>();
  }

  /// A mark has neither owner nor time.
  Result<void> mark(std::string path) {
    Entry entry;
    entry.path = std::move(path);
    return write(entry, nullptr);
  }

  Result<void> write(const Entry& entry, const os::Fd* content) {
    ++m_entries;
    return m_writer.add(entry, content);
  }

  Result<Entry> describe(const os::Fd& parent, const std::string& name, const std::string& path,
                         const struct stat& info) {
    Entry entry;
    entry.path = path;
    entry.mode = info.st_mode & 07777U;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime = info.st_mtim.tv_sec;
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) {
      const auto [first, is_new] = m_names.emplace(Inode{info.st_dev, info.st_ino}, path);
      if (!is_new) {
        entry.type = EntryType::hard_link;
        entry.target = first->second;
        return entry;
      }
    }
    SHEAF_TRY_ASSIGN(entry.attributes, os::attributes_at(parent, name));
    if (S_ISDIR(info.st_mode)) {
      entry.type = EntryType::directory;
      return entry;
    }
    if (as_layer()) {
      std::erase_if(entry.attributes, [](const auto& pair) { return !os::is_portable_attribute(pair.first); });
    }
    if (S_ISLNK(info.st_mode)) {
      entry.type = EntryType::symlink;
      SHEAF_TRY_ASSIGN(entry.target, os::read_link_at(parent, name));
    } else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      entry.type = S_ISCHR(info.st_mode) ? EntryType::character_device : EntryType::block_device;
      entry.device_major = major(info.st_rdev);
      entry.device_minor = minor(info.st_rdev);
    } else if (S_ISFIFO(info.st_mode)) {
      entry.type = EntryType::fifo;
    } else {
      entry.size = static_cast<std::uint64_t>(info.st_size);
    }
    return entry;
  }

  TarWriter& m_writer;
  const TreeOptions& m_options;
  /// The attribute by which a folder hides all below it.
  std::string m_opaque;
  /// By folder, by name.
  std::map<std::string, std::map<std::string, const Entry*>> m_devices;
  std::map<Inode, std::string> m_names;
  std::uint64_t m_entries = 0;
};

} // namespace

Result<std::uint64_t> write_tree(const os::Fd& directory, TarWriter& writer, const TreeOptions& options) {
  return TreeWriter(writer, options).run(directory);
}

} // namespace sheaf::archive
