// SPDX-License-Identifier: Apache-2.0
#pragma once

// Locks on single numbers, all in one file that stays empty: open file description locks, see fcntl(2), "OFD". They
// belong to the object that took them, need no file of their own, and are gone when their holder is, however it ends.

#include "os/fd.hpp"

#include <cstdint>
#include <string>

namespace sheaf::os {

/// Safe from several threads. Two objects of one process exclude each other as those of two processes do.
class ByteLocks {
public:
  /// Creates the file if needed. On a file system that cannot be written to only `share` works.
  static Result<ByteLocks> open(const std::string& path);

  /// Any number may share a number. Waits while somebody owns it.
  Result<void> share(std::uint64_t number) const;
  /// False, at once, if somebody else shares or owns it.
  Result<bool> try_own(std::uint64_t number) const;
  /// Gives up what this object shares or owns.
  Result<void> release(std::uint64_t number) const;

private:
  explicit ByteLocks(Fd file) : m_file(std::move(file)) {}
  Fd m_file;
};

} // namespace sheaf::os
