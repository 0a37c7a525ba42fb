// SPDX-License-Identifier: Apache-2.0
#pragma once

// One folder of a project, read without following links. Used by the walk of `detect`.

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::detect {

enum class EntryType { file, directory, other };

/// An open directory.
class Folder {
public:
  /// `path` itself may be a link. Nothing, with errno set, if it cannot be opened.
  static std::optional<Folder> open(const std::string& path);
  /// Nothing, with errno set, if `name` is no directory of this one or cannot be opened.
  std::optional<Folder> open_below(const char* name) const;

  Folder(Folder&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Folder& operator=(Folder&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  /// Nanoseconds since 1970; nothing if it cannot be told.
  std::optional<std::int64_t> mtime() const;

  /// Calls `visit(name, type)` for each entry but "." and "..", in no order; `buffer` is scratch space that folders
  /// read one after the other may share, and names live in it. False, with errno set, if not all could be read.
  template <class Visit>
  bool for_each(std::vector<char>& buffer, Visit&& visit) const;

  struct Contents {
    std::string text;
    std::int64_t mtime_ns = 0;
  };
  /// The regular file `name`; nothing if it is none or is larger than `limit` bytes (errno is 0), or cannot be read
  /// (errno is set).
  std::optional<Contents> read(const char* name, std::size_t limit) const;

private:
  explicit Folder(int fd) : m_fd(fd) {}
  /// Fills `buffer` with entries as getdents64(2) gives them; how many bytes, 0 at the end, -1 with errno set.
  ssize_t next_entries(std::vector<char>& buffer) const;
  EntryType type_of(unsigned char type, const char* name) const;

  int m_fd = -1;
};

} // namespace sheaf::detect

#include "detect/folder_impl.hpp"
