// SPDX-License-Identifier: Apache-2.0
#include "context/content_digest.hpp"

#include "os/as_caller.hpp"
#include "os/file.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "context/digest_cache.hpp"
#include "context/stamps.hpp"

namespace sheaf::context {
namespace {

using os::Fd;

/// More readers than this only make the disk's head travel.
constexpr unsigned k_most_threads = 8;
constexpr std::size_t k_batch = 64;

/// One entry on its way to the digest.
struct Item {
  const SelectedEntry* entry = nullptr;
  struct stat info {};
  /// Of a file: its content and attributes; of others whatever there is to say, zero for nothing.
  Digest digest;
  bool is_known = false;
};

/// Length-framed values in a buffer: many small updates of a hash cost more than the hashing.
class Framed {
public:
  void number(std::uint64_t value) {
    m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value); // NOLINT: bytes of a number
    flush_if_large();
  }
  void text(std::string_view value) {
    number(value.size());
    m_bytes.append(value);
  }
  Digest finish() { return m_hash.update(m_bytes).finish(); }

private:
  void flush_if_large() {
    constexpr std::size_t k_large = 65536;
    if (m_bytes.size() >= k_large) {
      m_hash.update(m_bytes);
      m_bytes.clear();
    }
  }
  Sha256 m_hash;
  std::string m_bytes;
};

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes().data()), digest.bytes().size()}; // NOLINT: bytes as text
}

/// `digest` with the attributes of the open file, if it has any that count.
Result<Digest> with_attributes(const Fd& file, const std::string& path, const Digest& digest) {
  if (flistxattr(file.get(), nullptr, 0) <= 0) {
    return digest;
  }
  SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_of(file, path));
  Framed framed;
  framed.text(bytes_of(digest));
  bool any = false;
  for (const auto& [name, value] : attributes) {
    if (os::is_portable_attribute(name)) {
      framed.text(name);
      framed.text(value);
      any = true;
    }
  }
  return any ? framed.finish() : digest;
}

Result<Digest> content_of(const Fd& file) {
  Sha256 hash;
  std::array<char, 131072> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) {
      return hash.finish();
    }
    if (got < 0 && errno != EINTR) {
      return Error::from_errno(errno, "reading");
    }
    if (got > 0) {
      hash.update({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
}

/// Folders that stay open while the walk is in them.
class OpenFolders {
public:
  explicit OpenFolders(const Fd& tree) : m_tree(tree) {}

  /// Valid until the next call.
  Result<const Fd*> at(std::string_view path) {
    while (!m_open.empty() && m_open.back().path != path && !is_above(m_open.back().path, path)) {
      m_open.pop_back();
    }
    if (m_open.empty() || m_open.back().path != path) {
      if (m_open.size() >= k_most_open) {
        m_open.erase(m_open.begin());
      }
      const std::string name(path.empty() ? "." : path);
      SHEAF_TRY_ASSIGN(auto fd, os::open_beneath(m_tree, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      m_open.push_back({std::string(path), std::move(fd)});
    }
    return &m_open.back().fd;
  }

private:
  static constexpr std::size_t k_most_open = 64;
  struct Folder {
    std::string path;
    Fd fd;
  };
  static bool is_above(std::string_view folder, std::string_view path) {
    return folder.empty() || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
  }
  const Fd& m_tree;
  std::vector<Folder> m_open;
};

Result<void> look_at(OpenFolders& folders, Item& item) {
  const auto& source = item.entry->source;
  const auto slash = source.rfind('/');
  const auto folder = std::string_view(source).substr(0, slash == std::string::npos ? 0 : slash);
  if (item.entry->type == DT_DIR) {
    SHEAF_TRY_ASSIGN(const Fd* fd, folders.at(source));
    SHEAF_TRY_ASSIGN(item.info, os::stat_of(*fd));
    SHEAF_TRY_ASSIGN(item.digest, with_attributes(*fd, source, Digest()));
    return {};
  }
  SHEAF_TRY_ASSIGN(const Fd* fd, folders.at(folder));
  const char* name = source.c_str() + (slash == std::string::npos ? 0 : slash + 1);
  if (os::or_as_caller([&] { return fstatat(fd->get(), name, &item.info, AT_SYMLINK_NOFOLLOW); }) != 0) {
    return Error::from_errno(errno, "looking at it");
  }
  if (S_ISLNK(item.info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(*fd, name));
    item.digest = Digest::of(target);
  }
  return {};
}

Result<std::vector<Item>> look_at_all(const Fd& tree, const std::vector<SelectedSource>& selected) {
  std::size_t count = 0;
  for (const auto& source : selected) {
    count += source.entries.size();
  }
  std::vector<Item> items;
  items.reserve(count);
  OpenFolders folders(tree);
  for (const auto& source : selected) {
    for (const auto& entry : source.entries) {
      items.push_back({&entry, {}, {}, false});
      if (auto looked = look_at(folders, items.back()); !looked) {
        return std::move(looked).error().with_context(fmt::format("reading '/{}'", entry.source));
      }
    }
  }
  return items;
}

/// The files that have to be read, by all threads: each takes the next batch until none is left or somebody failed.
class Readers {
public:
  Readers(const Fd& tree, std::vector<Item*> files, DigestCache* cache)
      : m_tree(tree), m_files(std::move(files)), m_cache(cache) {}

  Result<void> run() {
    {
      const auto batches = (m_files.size() + k_batch - 1) / k_batch;
      const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads);
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < std::min<std::size_t>(threads, batches); ++i) {
        others.emplace_back([this] { work(); });
      }
      work();
    }
    return m_error ? Result<void>(std::move(*m_error)) : Result<void>();
  }

private:
  void work() {
    for (;;) {
      const auto first = m_next.fetch_add(k_batch);
      if (first >= m_files.size()) {
        return;
      }
      for (std::size_t i = first; i < std::min(first + k_batch, m_files.size()); ++i) {
        if (auto done = read(*m_files[i]); !done) {
          m_next = m_files.size();
          const std::scoped_lock lock(m_mutex);
          auto error = std::move(done).error().with_context(fmt::format("reading '/{}'", m_files[i]->entry->source));
          if (error.code() == ErrorCode::denied && error.hint().empty()) {
            m_error = Error(std::move(error)).with_hint("make it readable for you, or name it in .dockerignore");
          } else {
            m_error = std::move(error);
          }
          return;
        }
      }
    }
  }

  Result<void> read(Item& item) {
    const auto& path = item.entry->source;
    const auto begin = now_ns();
    SHEAF_TRY_ASSIGN(const Fd file, os::open_beneath(m_tree, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    SHEAF_TRY_ASSIGN(const auto before, os::stat_of(file));
    SHEAF_TRY_ASSIGN(const auto content, content_of(file));
    SHEAF_TRY_ASSIGN(item.digest, with_attributes(file, path, content));
    SHEAF_TRY_ASSIGN(item.info, os::stat_of(file));
    const auto stamp = stamp_of(item.info);
    if (m_cache != nullptr) {
      const bool sure = stamp == stamp_of(before) && !is_racy(stamp, begin);
      const std::scoped_lock lock(m_cache->data().mutex());
      m_cache->data().learn(path, stamp, sure ? std::optional(item.digest) : std::nullopt);
    }
    return {};
  }

  const Fd& m_tree;
  std::vector<Item*> m_files;
  DigestCache* m_cache;
  std::atomic<std::size_t> m_next = 0;
  std::mutex m_mutex; ///< guards m_error
  std::optional<Error> m_error;
};

Result<void> add_digests(const Fd& tree, std::vector<Item>& items, DigestCache* cache) {
  std::vector<Item*> unknown;
  std::unique_lock<std::mutex> lock;
  if (cache != nullptr) {
    lock = std::unique_lock(cache->data().mutex());
  }
  for (auto& item : items) {
    if (S_ISREG(item.info.st_mode)) {
      const auto known = cache != nullptr ? cache->data().find(item.entry->source, stamp_of(item.info)) : std::nullopt;
      if (known) {
        item.digest = *known;
      } else {
        unknown.push_back(&item);
      }
    }
  }
  if (lock) {
    lock.unlock();
  }
  return unknown.empty() ? Result<void>() : Readers(tree, std::move(unknown), cache).run();
}

void add(Framed& framed, const Item& item, Owners owners) {
  const auto& info = item.info;
  framed.text(item.entry->name);
  // A link's mode says nothing.
  framed.number(S_ISLNK(info.st_mode) ? S_IFLNK : info.st_mode);
  framed.number(item.entry->is_parent ? 1 : 0);
  if (owners == Owners::counted) {
    framed.number(info.st_uid);
    framed.number(info.st_gid);
  }
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    framed.number(info.st_rdev);
  }
  framed.text(bytes_of(item.digest));
}

/// The one that all are on; nothing if there are several.
std::optional<dev_t> device_of(const std::vector<Item>& items) {
  const auto is_other = [&](const Item& item) { return item.info.st_dev != items[0].info.st_dev; };
  return items.empty() || std::ranges::any_of(items, is_other) ? std::nullopt : std::optional(items[0].info.st_dev);
}

} // namespace

Result<StampedDigest> stamped_digest_of(const Fd& tree, const std::vector<SelectedSource>& selected, Owners owners,
                                        DigestCache* cache) {
  SHEAF_TRY_ASSIGN(auto items, look_at_all(tree, selected));
  SHEAF_TRY(add_digests(tree, items, cache));
  StampedDigest result;
  result.stamps.reserve(items.size());
  Framed framed;
  framed.text("selection 1");
  for (const auto& source : selected) {
    framed.number(source.is_directory ? 1 : 0);
    framed.number(source.entries.size());
    for (std::size_t i = 0; i < source.entries.size(); ++i) {
      const auto& item = items[result.stamps.size()];
      add(framed, item, owners);
      result.stamps.push_back(stamp_of(item.info));
    }
  }
  result.digest = framed.finish();
  result.device = device_of(items);
  return result;
}

Result<Digest> digest_of(const Fd& tree, const std::vector<SelectedSource>& selected, Owners owners,
                         DigestCache* cache) {
  SHEAF_TRY_ASSIGN(const auto result, stamped_digest_of(tree, selected, owners, cache));
  return result.digest;
}

} // namespace sheaf::context
