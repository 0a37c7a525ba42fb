// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes what a file of an archive holds, counting it, and takes its digest on the way if that is wanted.

#include "archive/reader.hpp"
#include "base/digest.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <optional>

namespace sheaf::archive {

/// How many bytes the files of one archive may have, all together. Holes count, too: whoever reads the files later has
/// to read them.
class ByteLimit {
public:
  explicit ByteLimit(std::uint64_t most) : m_most(most) {}
  /// A file says that it has so many bytes; `invalid` if that is too much.
  Result<void> announce(std::uint64_t size);
  /// So many more bytes came.
  Result<void> take(std::uint64_t size);
  std::uint64_t taken() const { return m_taken; }

private:
  Result<void> check(std::uint64_t sum) const;

  std::uint64_t m_most;
  std::uint64_t m_announced = 0;
  std::uint64_t m_taken = 0;
};

enum class ContentDigest { none, taken };

/// Writes the content of the entry that `reader` is at, `size` bytes with its holes, into the empty file. The digest,
/// when it is taken, is that of what a reader of the file sees.
Result<std::optional<Digest>> write_content(Reader& reader, std::uint64_t size, const os::Fd& file, ByteLimit& limit,
                                            ContentDigest digest);

} // namespace sheaf::archive
