// SPDX-License-Identifier: Apache-2.0
#include "store/tree_digest.hpp"

#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sheaf::store {
namespace {

constexpr unsigned k_most_threads = 8;
/// Files that one thread takes at a time; fewer than two batches are not worth a thread.
constexpr std::size_t k_batch = 64;

/// An entry of the tree; its text says all but the content.
struct Line {
  std::string path;
  std::string text;
  std::int64_t mtime = 0;
  bool is_file = false;
  std::optional<Digest> content = std::nullopt;
};

class Walk {
public:
  explicit Walk(const KnownContents& known) : m_known(known), m_marks(os::overlay_prefix()) {}

  Result<void> add_root(const os::Fd& root) {
    SHEAF_TRY_ASSIGN(const auto info, os::stat_of(root));
    SHEAF_TRY_ASSIGN(const auto attributes, attributes_text(root, "."));
    m_lines.push_back({"", fmt::format("{:o} {} {} {}", info.st_mode, info.st_uid, info.st_gid, attributes)});
    return add_folder(root, "");
  }

  /// What was found, the root first; the content of files that are not known is still to be read.
  std::vector<Line>& lines() { return m_lines; }
  /// The size of all files.
  std::uint64_t bytes() const { return m_bytes; }

private:
  Result<void> add_folder(const os::Fd& folder, const std::string& prefix) {
    SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
    for (const auto& entry : entries) {
      SHEAF_TRY(add(folder, entry.name, prefix + entry.name));
    }
    return {};
  }

  Result<void> add(const os::Fd& folder, const std::string& name, const std::string& path) {
    struct stat info {};
    if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("looking at '/{}'", path));
    }
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) {
      const auto [first, is_new] = m_first_name.emplace(info.st_ino, path);
      if (!is_new) {
        m_lines.push_back({path, fmt::format("= {}", first->second)});
        return {};
      }
    }
    SHEAF_TRY_ASSIGN(const auto attributes, attributes_text(folder, name));
    Line line{path, fmt::format("{:o} {} {} {} {}", info.st_mode, info.st_uid, info.st_gid, info.st_rdev, attributes)};
    line.mtime = S_ISDIR(info.st_mode) ? 0 : info.st_mtim.tv_sec;
    line.is_file = S_ISREG(info.st_mode);
    if (S_ISLNK(info.st_mode)) {
      SHEAF_TRY_ASSIGN(const auto target, os::read_link_at(folder, name));
      line.text += "> " + target;
    }
    if (line.is_file) {
      m_bytes += static_cast<std::uint64_t>(info.st_size);
      const auto known = m_known.find(info.st_ino);
      line.content = known == m_known.end() ? std::nullopt : std::optional(known->second);
    }
    m_lines.push_back(std::move(line));
    if (!S_ISDIR(info.st_mode)) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto inner, os::open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return add_folder(inner, path + "/");
  }

  /// overlayfs keeps more under its prefix than what a tree means (where a file was copied from, counts): only "hides
  /// all below" is part of it, under the same name whoever made the tree.
  Result<std::string> attributes_text(const os::Fd& folder, const std::string& name) const {
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(folder, name));
    std::string text;
    for (const auto& [key, value] : attributes) {
      const bool is_mark = key.starts_with(m_marks);
      if (is_mark && (key != m_marks + "opaque" || value != "y")) {
        continue;
      }
      text += is_mark ? std::string("opaque,") : fmt::format("{}:{}={},", key, value.size(), value);
    }
    return text;
  }

  const KnownContents& m_known;
  std::vector<Line> m_lines;
  std::uint64_t m_bytes = 0;
  std::string m_marks;
  std::unordered_map<ino_t, std::string> m_first_name; ///< of files with several names
};

/// The work of all threads: each takes the next batch of files until none is left or somebody failed.
class Readers {
public:
  Readers(const os::Fd& root, std::vector<Line*> files, const OnContent& on_content)
      : m_root(root), m_files(std::move(files)), m_on_content(on_content) {}

  Result<void> run() {
    const auto batches = (m_files.size() + k_batch - 1) / k_batch;
    const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads);
    {
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
    std::string buffer(64U << 10U, '\0');
    for (;;) {
      const auto first = m_next.fetch_add(k_batch);
      if (first >= m_files.size()) {
        return;
      }
      for (std::size_t i = first; i < std::min(first + k_batch, m_files.size()); ++i) {
        if (auto read = read_file(*m_files[i], buffer).context(fmt::format("reading '/{}'", m_files[i]->path)); !read) {
          m_next = m_files.size();
          const std::scoped_lock lock(m_mutex);
          m_error = m_error ? std::move(m_error) : std::optional(std::move(read).error());
          return;
        }
      }
    }
  }

  /// Fills `buffer` behind its first `have` bytes as far as the file goes; returns how much it holds then.
  static Result<std::size_t> fill(const os::Fd& file, std::string& buffer, std::size_t have) {
    while (have < buffer.size()) {
      const auto got = ::read(file.get(), buffer.data() + have, buffer.size() - have);
      if (got < 0 && errno != EINTR) {
        return Error::from_errno(errno, "reading");
      }
      if (got == 0) {
        break;
      }
      have += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return have;
  }

  Result<void> read_file(Line& line, std::string& buffer) {
    SHEAF_TRY_ASSIGN(const auto file, os::open_beneath(m_root, line.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    Sha256 hash;
    for (std::size_t seen = 0;;) { // bytes at the start of the buffer that were read before
      SHEAF_TRY_ASSIGN(const auto have, fill(file, buffer, seen));
      const std::string_view content(buffer.data(), have);
      hash.update(content.substr(seen));
      if (m_on_content.look && have > seen) {
        m_on_content.look(line.path, content);
      }
      if (have < buffer.size()) {
        break;
      }
      seen = std::min(m_on_content.overlap, have);
      buffer.erase(0, have - seen);
      buffer.resize(k_largest_shown + m_on_content.overlap); // a large file, and more of them may come
    }
    line.content = hash.finish();
    return {};
  }

  const os::Fd& m_root;
  std::vector<Line*> m_files;
  const OnContent& m_on_content;
  std::atomic<std::size_t> m_next = 0;
  std::mutex m_mutex; ///< guards m_error
  std::optional<Error> m_error;
};

Result<TreeDigest> digest_of(const std::string& path, const OnContent& on_content, const KnownContents& known) {
  SHEAF_TRY_ASSIGN(const auto root, os::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  Walk walk(known);
  SHEAF_TRY(walk.add_root(root));
  std::vector<Line*> files;
  for (auto& line : walk.lines()) {
    if (line.is_file && !line.content) {
      files.push_back(&line);
    }
  }
  SHEAF_TRY(Readers(root, std::move(files), on_content).run());
  Sha256 content;
  Sha256 exact;
  content.field("sheaf-tree 1");
  for (const auto& line : walk.lines()) {
    content.field(line.path).field(line.text).field(line.content ? line.content->hex() : "");
    exact.field(std::to_string(line.mtime));
  }
  TreeDigest digest;
  digest.content = content.finish();
  digest.exact = exact.field(digest.content.hex()).finish();
  digest.bytes = walk.bytes();
  digest.files = walk.lines().size() - 1;
  return digest;
}

} // namespace

Result<TreeDigest> digest_tree(const std::string& path, const OnContent& on_content) {
  return digest_of(path, on_content, {});
}

Result<TreeDigest> digest_tree(const std::string& path, const KnownContents& known) {
  return digest_of(path, {}, known);
}

} // namespace sheaf::store
