// SPDX-License-Identifier: Apache-2.0
#include "context/walk_record.hpp"

#include "os/as_caller.hpp"
#include "os/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <thread>

#include "context/checksum.hpp"
#include "context/stamps.hpp"

namespace sheaf::context {
namespace {

using os::Fd;
using os::FileStamp;

/// The last byte is the version of the format; another one is another file.
constexpr std::array<char, 8> k_magic = {'s', 'h', 'f', 'w', 'a', 'l', 'k', 1};

struct Header {
  std::array<char, 8> magic = k_magic;
  std::uint64_t checksum = 0; ///< of all that follows
  std::uint64_t folders = 0;
  std::uint64_t entries = 0;
  Digest::Bytes sources{};
  Digest::Bytes digest{};
};
constexpr std::size_t k_summed_from = 16;

/// A large folder is several of these, so that threads share it.
struct Folder {
  FileStamp stamp;
  std::uint32_t path = 0;
  std::uint32_t is_listed = 0;
  std::uint32_t first_entry = 0;
  std::uint32_t entries = 0;
};

struct Entry {
  FileStamp stamp;
  std::uint64_t name = 0;
};

constexpr std::uint32_t k_most_entries = 512;
/// A thread takes as long to start as some hundred entries to look at.
constexpr std::size_t k_entries_worth_a_thread = 1500;
constexpr unsigned k_most_threads = 8;

/// A name that comes or goes changes the stamp of its folder (POSIX); these file systems are known to do so.
bool stamps_its_folders(const Fd& tree) {
  constexpr std::array<std::uint64_t, 7> k_known = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                                    TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
                                                    0x2FC12FC1U /* ZFS, which Linux does not have */};
  struct statfs info {};
  return fstatfs(tree.get(), &info) == 0 && std::ranges::count(k_known, static_cast<std::uint64_t>(info.f_type)) > 0;
}

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

/// Collects folders with their entries. Not for more than 4 GiB of names.
class Writer {
public:
  void add_listed(const std::string& path, const FileStamp& stamp) {
    auto& folder = m_folders[path];
    folder.stamp = stamp;
    folder.is_listed = true;
  }
  void add_entry(const std::string& path, const FileStamp& stamp) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string() : path.substr(0, slash);
    m_folders[folder].entries.emplace_back(path.substr(slash == std::string::npos ? 0 : slash + 1), stamp);
  }
  std::string finish(const Digest& sources, const Digest& digest) {
    for (const auto& [path, content] : m_folders) {
      add(path, content);
    }
    if (m_names.size() >= std::numeric_limits<std::uint32_t>::max()) {
      return {};
    }
    std::string file;
    append(file,
           Header{k_magic, 0, m_folder_bytes.size() / sizeof(Folder), m_entry_count, sources.bytes(), digest.bytes()});
    file += m_folder_bytes + m_entry_bytes + m_names;
    const auto sum = checksum(std::string_view(file).substr(k_summed_from));
    std::memcpy(file.data() + offsetof(Header, checksum), &sum, sizeof sum);
    return file;
  }

private:
  struct Content {
    FileStamp stamp;
    bool is_listed = false;
    std::vector<std::pair<std::string, FileStamp>> entries;
  };
  void add(const std::string& path, const Content& content) {
    const auto name = add_name(path.empty() ? "." : path);
    std::uint32_t is_listed = content.is_listed ? 1 : 0;
    std::size_t done = 0;
    do {
      const auto count =
          static_cast<std::uint32_t>(std::min<std::size_t>(content.entries.size() - done, k_most_entries));
      append(m_folder_bytes, Folder{content.stamp, name, is_listed, m_entry_count, count});
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto& [entry, stamp] = content.entries[done++];
        append(m_entry_bytes, Entry{stamp, add_name(entry)});
      }
      m_entry_count += count;
      is_listed = 0;
    } while (done < content.entries.size());
  }
  std::uint32_t add_name(const std::string& name) {
    const auto at = m_names.size();
    m_names.append(name.c_str(), name.size() + 1);
    return static_cast<std::uint32_t>(at);
  }

  std::map<std::string, Content> m_folders;
  std::string m_folder_bytes;
  std::string m_entry_bytes;
  std::string m_names;
  std::uint32_t m_entry_count = 0;
};

/// A record that was read, compared with the tree by several threads.
class Comparison {
public:
  Comparison(const Fd& tree, dev_t device, const Header& header, std::string_view body)
      : m_tree(tree), m_device(device), m_folders(header.folders), m_entries(header.entries), m_body(body) {}

  bool is_unchanged() {
    const auto names = m_folders * sizeof(Folder) + m_entries * sizeof(Entry);
    if (m_body.empty() || m_body.back() != '\0' || names >= m_body.size()) {
      return false;
    }
    m_names = m_body.substr(names);
    const auto threads = std::min<std::size_t>(
        {std::max(1U, std::thread::hardware_concurrency()), k_most_threads, 1 + m_entries / k_entries_worth_a_thread});
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < threads; ++i) {
        others.emplace_back([this] { work(); });
      }
      work();
    }
    return m_next < k_changed;
  }

private:
  static constexpr std::size_t k_changed = std::size_t{1} << 62U;

  void work() {
    for (;;) {
      const auto next = m_next.fetch_add(1);
      if (next >= m_folders) {
        return;
      }
      if (!is_same(at<Folder>(0, next))) {
        m_next = k_changed;
        return;
      }
    }
  }

  template <class T>
  T at(std::size_t begin, std::size_t index) const {
    T value;
    std::memcpy(&value, m_body.data() + begin + index * sizeof(T), sizeof value);
    return value;
  }
  bool is_same(const struct stat& info, const FileStamp& stamp) const {
    return info.st_dev == m_device && stamp_of(info) == stamp;
  }

  bool is_same(const Folder& folder) const {
    if (folder.path >= m_names.size() || std::size_t{folder.first_entry} + folder.entries > m_entries) {
      return false;
    }
    const auto fd = os::open_beneath(m_tree, m_names.data() + folder.path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    struct stat info {};
    if (!fd || (folder.is_listed != 0 && (fstat(fd->get(), &info) != 0 || !is_same(info, folder.stamp)))) {
      return false;
    }
    for (std::uint32_t i = 0; i < folder.entries; ++i) {
      const auto entry = at<Entry>(m_folders * sizeof(Folder), folder.first_entry + i);
      if (entry.name >= m_names.size() ||
          os::or_as_caller(
              [&] { return fstatat(fd->get(), m_names.data() + entry.name, &info, AT_SYMLINK_NOFOLLOW); }) != 0 ||
          !is_same(info, entry.stamp)) {
        return false;
      }
    }
    return true;
  }

  const Fd& m_tree;
  dev_t m_device;
  std::size_t m_folders;
  std::size_t m_entries;
  std::string_view m_body;
  std::string_view m_names;
  std::atomic<std::size_t> m_next = 0;
};

/// Folders in which nothing was taken have no stamp yet.
bool add_folders_without_entry(Writer& writer, const Fd& tree, const RecordedWalk& walk, dev_t device) {
  for (const auto& source : walk.selected) {
    for (const auto& path : source.folders_without_entry) {
      const auto fd = os::open_beneath(tree, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      const auto info = fd ? os::stat_of(*fd) : Result<struct stat>(fd.error());
      if (!info || info->st_dev != device || is_racy(stamp_of(*info), walk.begin)) {
        return false;
      }
      writer.add_listed(path, stamp_of(*info));
    }
  }
  return true;
}

/// Empty if the stamps prove nothing.
std::string record_of(const Fd& tree, const RecordedWalk& walk) {
  const auto root = os::stat_of(tree);
  if (!root || walk.digest.device != root->st_dev || !stamps_its_folders(tree)) {
    return {};
  }
  Writer writer;
  std::size_t next = 0;
  for (const auto& source : walk.selected) {
    for (const auto& entry : source.entries) {
      const auto& stamp = walk.digest.stamps[next++];
      if (is_racy(stamp, walk.begin)) {
        return {};
      }
      if (entry.type == DT_DIR) {
        writer.add_listed(entry.source, stamp);
      } else {
        writer.add_entry(entry.source, stamp);
      }
    }
  }
  if (!add_folders_without_entry(writer, tree, walk, root->st_dev)) {
    return {};
  }
  return writer.finish(walk.sources, walk.digest.digest);
}

} // namespace

Result<void> record_walk(const std::string& file, const Fd& tree, const RecordedWalk& walk) {
  const auto content = record_of(tree, walk);
  return content.empty() ? os::remove_file_if_exists(file)
                         : os::write_file(file, content).context("remembering a walk");
}

std::optional<Digest> recorded_digest(const std::string& file, const Fd& tree, const Digest& sources) {
  const auto content = os::read_file(file);
  const auto root = os::stat_of(tree);
  Header header;
  if (!content || !root || content->size() < sizeof header) {
    return std::nullopt;
  }
  std::memcpy(&header, content->data(), sizeof header);
  const auto body = std::string_view(*content).substr(sizeof header);
  if (header.magic != k_magic || header.sources != sources.bytes() || header.folders > body.size() / sizeof(Folder) ||
      header.entries > body.size() / sizeof(Entry) ||
      header.checksum != checksum(std::string_view(*content).substr(k_summed_from))) {
    return std::nullopt;
  }
  return Comparison(tree, root->st_dev, header, body).is_unchanged() ? std::optional(Digest(header.digest))
                                                                     : std::nullopt;
}

} // namespace sheaf::context
