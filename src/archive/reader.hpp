// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads tar archives, plain or compressed (gzip, bzip2, xz, zstd), with libarchive. It only reads: what is done with an
// entry, and whether its name is safe, is the business of unpack.hpp.

#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::archive {

enum class EntryType { file, directory, symlink, hard_link, character_device, block_device, fifo };

struct Entry {
  /// As in the archive, bytes.
  std::string path;
  EntryType type = EntryType::file;
  unsigned mode = 0;
  unsigned uid = 0;
  unsigned gid = 0;
  /// Seconds since 1970.
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
  /// Of a symlink or hard link.
  std::string target;
  unsigned device_major = 0;
  unsigned device_minor = 0;
  std::map<std::string, std::string> attributes;
};

/// A block of a file's content; what lies between blocks is a hole.
using OnBlock = std::function<Result<void>(std::uint64_t offset, std::string_view bytes)>;

/// Gives the next bytes, valid until the next call; none at the end.
using Pull = std::function<Result<std::string_view>()>;

class Reader {
public:
  /// Takes the archive from the descriptor's position on. `invalid` if it is no archive of a known kind.
  static Result<Reader> open(os::Fd file);
  static Result<Reader> open_memory(std::string_view bytes);
  /// A plain tar, as it comes. What `pull` says when it fails is lost: who gave it knows.
  static Result<Reader> open_stream(Pull pull);
  Reader(Reader&&) noexcept;
  ~Reader();
  /// The next entry; nothing at the end. `corrupt` says what is wrong, after which entry.
  Result<std::optional<Entry>> next();
  /// The content of the entry that `next` gave.
  Result<void> read(const OnBlock& on_block);

private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

/// Is it, by its first bytes, an archive that ADD unpacks? Source: BuildKit's rule, a tar header behind at most one
/// known compression. The position is kept.
Result<bool> is_archive(const os::Fd& file);

} // namespace sheaf::archive
