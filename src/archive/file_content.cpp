// SPDX-License-Identifier: Apache-2.0
#include "archive/file_content.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sheaf::archive {
namespace {

Result<void> write_at(const os::Fd& file, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote = pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno != EINTR) {
      return Error::from_errno(errno, "writing");
    }
    if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::uint64_t>(wrote);
    }
  }
  return {};
}

/// The digest of a file whose blocks come in order.
class BlockDigest {
public:
  void add(std::uint64_t offset, std::string_view bytes) {
    add_hole(offset);
    m_hash.update(bytes);
    m_end = offset + bytes.size();
  }

  Digest finish(std::uint64_t size) {
    add_hole(size);
    return m_hash.finish();
  }

private:
  /// Zeros up to `offset`.
  void add_hole(std::uint64_t offset) {
    static constexpr std::array<char, std::size_t{64} << 10U> k_zeros{};
    while (m_end < offset) {
      const auto step = std::min<std::uint64_t>(offset - m_end, k_zeros.size());
      m_hash.update({k_zeros.data(), step});
      m_end += step;
    }
  }

  Sha256 m_hash;
  std::uint64_t m_end = 0;
};

} // namespace

Result<void> ByteLimit::announce(std::uint64_t size) {
  m_announced += std::min(size, m_most + 1);
  return check(m_announced);
}

Result<void> ByteLimit::take(std::uint64_t size) {
  m_taken += size;
  return check(m_taken);
}

Result<void> ByteLimit::check(std::uint64_t sum) const {
  return sum > m_most ? Error(ErrorCode::invalid, fmt::format("the archive holds more than {} bytes", m_most))
                      : Result<void>();
}

Result<std::optional<Digest>> write_content(Reader& reader, std::uint64_t size, const os::Fd& file, ByteLimit& limit,
                                            ContentDigest digest) {
  SHEAF_TRY(limit.announce(size));
  auto content = digest == ContentDigest::taken ? std::optional<BlockDigest>(std::in_place) : std::nullopt;
  std::uint64_t end = 0;
  const OnBlock on_block = [&](std::uint64_t offset, std::string_view bytes) -> Result<void> {
    SHEAF_TRY(limit.take(bytes.size()));
    if (content && offset >= end) {
      content->add(offset, bytes);
    } else {
      content.reset(); // blocks that overlap: only a look at the file tells what it holds
    }
    end = std::max(end, offset + bytes.size());
    return write_at(file, offset, bytes);
  };
  SHEAF_TRY(reader.read(on_block));
  // What is not written is a hole.
  if (end < size && ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
    return Error::from_errno(errno, fmt::format("making a file of {} bytes", size));
  }
  return content ? std::optional(content->finish(std::max(size, end))) : std::nullopt;
}

} // namespace sheaf::archive
