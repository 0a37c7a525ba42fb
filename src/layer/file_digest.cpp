// SPDX-License-Identifier: Apache-2.0
#include "layer/file_digest.hpp"

#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace sheaf::layer {
namespace {

/// More readers than this only make the disk's head travel.
constexpr unsigned k_most_threads = 8;
/// Files that one thread takes at a time.
constexpr std::size_t k_batch = 64;

Result<void> add_digest(const os::Fd& root, Entry& entry) {
  const auto doing = [&] { return fmt::format("reading '/{}'", entry.path); };
  auto file = os::open_in_root(root, entry.path, O_RDONLY | O_NOFOLLOW);
  if (!file) {
    return std::move(file).error().with_context(doing());
  }
  auto digest = digest_of(*file);
  if (!digest) {
    return std::move(digest).error().with_context(doing());
  }
  entry.digest = *digest;
  return {};
}

/// The work of all threads: each takes the next batch until none is left or somebody failed.
class Readers {
public:
  Readers(const os::Fd& root, const std::vector<Entry*>& files) : m_root(root), m_files(files) {}

  void work() {
    for (;;) {
      const auto first = m_next.fetch_add(k_batch);
      if (first >= m_files.size()) {
        return;
      }
      for (std::size_t i = first; i < std::min(first + k_batch, m_files.size()); ++i) {
        if (auto added = add_digest(m_root, *m_files[i]); !added) {
          m_next = m_files.size();
          const std::scoped_lock lock(m_mutex);
          m_error = m_error ? std::move(m_error) : std::optional(std::move(added).error());
          return;
        }
      }
    }
  }

  /// After all threads have ended.
  Result<void> result() && { return m_error ? Result<void>(std::move(*m_error)) : Result<void>(); }

private:
  const os::Fd& m_root;
  const std::vector<Entry*>& m_files;
  std::atomic<std::size_t> m_next = 0;
  std::mutex m_mutex; ///< guards m_error
  std::optional<Error> m_error;
};

Result<void> read_all(const os::Fd& root, const std::vector<Entry*>& files) {
  Readers readers(root, files);
  {
    const auto batches = (files.size() + k_batch - 1) / k_batch;
    const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, batches); ++i) {
      others.emplace_back([&readers] { readers.work(); });
    }
    readers.work();
  }
  return std::move(readers).result();
}

} // namespace

Result<Digest> digest_of(const os::Fd& file) {
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

Result<void> add_digests(const os::Fd& root, std::vector<Entry>& entries) {
  std::vector<Entry*> files;
  std::vector<Entry*> links;
  for (auto& entry : entries) {
    if (entry.type == EntryType::file) {
      (entry.is_hard_link ? links : files).push_back(&entry);
    }
  }
  SHEAF_TRY(read_all(root, files));
  if (links.empty()) {
    return {};
  }
  std::unordered_map<std::string_view, const Entry*> by_path;
  for (const auto* file : files) {
    by_path.emplace(file->path, file);
  }
  for (auto* link : links) {
    link->digest = by_path.at(link->target)->digest;
  }
  return {};
}

} // namespace sheaf::layer
