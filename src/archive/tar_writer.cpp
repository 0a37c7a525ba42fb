// SPDX-License-Identifier: Apache-2.0
#include "archive/tar_writer.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sheaf::archive {
namespace {

constexpr std::size_t k_block = 512;

/// The header block of POSIX.1-1988 (ustar), as far as it is written: offset and length of each field.
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field k_name{0, 100};
constexpr Field k_mode{100, 8};
constexpr Field k_uid{108, 8};
constexpr Field k_gid{116, 8};
constexpr Field k_size{124, 12};
constexpr Field k_mtime{136, 12};
constexpr Field k_checksum{148, 8};
constexpr std::size_t k_type = 156;
constexpr Field k_target{157, 100};
constexpr Field k_magic{257, 8};
constexpr Field k_major{329, 8};
constexpr Field k_minor{337, 8};

using Block = std::array<char, k_block>;

void put(Block& block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.size));
}

/// False if the number does not fit.
bool put_octal(Block& block, Field field, std::uint64_t value) {
  const auto text = fmt::format("{:0{}o}", value, field.size - 1);
  if (text.size() >= field.size) {
    put(block, field, std::string(field.size - 1, '0'));
    return false;
  }
  put(block, field, text);
  return true;
}

void seal(Block& block) {
  put(block, k_checksum, "        ");
  unsigned sum = 0;
  for (const char byte : block) {
    sum += static_cast<unsigned char>(byte);
  }
  put(block, k_checksum, fmt::format("{:06o}", sum) + '\0' + ' ');
}

/// "length key=value\n", where the length counts itself. Source: pax(1), "pax Extended Header".
std::string record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length) {
    ++length;
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

char type_flag(EntryType type) {
  switch (type) {
  case EntryType::directory:
    return '5';
  case EntryType::symlink:
    return '2';
  case EntryType::hard_link:
    return '1';
  case EntryType::character_device:
    return '3';
  case EntryType::block_device:
    return '4';
  case EntryType::fifo:
    return '6';
  case EntryType::file:
    break;
  }
  return '0';
}

/// The header of `entry`; what does not fit goes to `extended`.
Block header_of(const Entry& entry, std::string& extended) {
  Block block{};
  const auto name = entry.path + (entry.type == EntryType::directory && !entry.path.ends_with('/') ? "/" : "");
  put(block, k_name, name);
  if (name.size() > k_name.size) {
    extended += record("path", name);
  }
  put_octal(block, k_mode, entry.mode & 07777U);
  const auto number = [&](Field field, std::string_view key, std::uint64_t value) {
    if (!put_octal(block, field, value)) {
      extended += record(key, std::to_string(value));
    }
  };
  number(k_uid, "uid", entry.uid);
  number(k_gid, "gid", entry.gid);
  number(k_size, "size", entry.type == EntryType::file ? entry.size : 0);
  if (entry.mtime >= 0) {
    number(k_mtime, "mtime", static_cast<std::uint64_t>(entry.mtime));
  } else {
    put_octal(block, k_mtime, 0);
    extended += record("mtime", std::to_string(entry.mtime));
  }
  block.at(k_type) = type_flag(entry.type);
  put(block, k_target, entry.target);
  if (entry.target.size() > k_target.size) {
    extended += record("linkpath", entry.target);
  }
  put(block, k_magic, std::string_view("ustar\00000", k_magic.size));
  put_octal(block, k_major, entry.device_major);
  put_octal(block, k_minor, entry.device_minor);
  for (const auto& [key, value] : entry.attributes) {
    extended += record("SCHILY.xattr." + key, value);
  }
  seal(block);
  return block;
}

} // namespace

struct TarWriter::Impl {
  explicit Impl(Output out) : to(std::move(out)) {}

  Result<void> write(std::string_view bytes) {
    buffer.append(bytes);
    constexpr std::size_t k_large = 1U << 20U;
    return buffer.size() < k_large ? Result<void>() : flush();
  }
  Result<void> flush() {
    SHEAF_TRY(to(buffer).context("writing an archive"));
    buffer.clear();
    return {};
  }
  Result<void> pad(std::uint64_t size) { return write(std::string((k_block - size % k_block) % k_block, '\0')); }

  Result<void> header(const Entry& entry) {
    std::string extended;
    const auto block = header_of(entry, extended);
    if (!extended.empty()) {
      Entry pax;
      pax.path = "PaxHeader";
      pax.mode = 0644;
      pax.size = extended.size();
      std::string nothing;
      auto pax_block = header_of(pax, nothing);
      pax_block.at(k_type) = 'x';
      seal(pax_block);
      SHEAF_TRY(write({pax_block.data(), pax_block.size()}));
      SHEAF_TRY(write(extended));
      SHEAF_TRY(pad(extended.size()));
    }
    return write({block.data(), block.size()});
  }

  Result<void> content(const os::Fd& from, std::uint64_t size) {
    std::array<char, 131072> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    for (std::uint64_t left = size; left > 0;) {
      const auto got = ::read(from.get(), bytes.data(), std::min<std::uint64_t>(left, bytes.size()));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return Error::from_errno(errno, "reading a file for an archive");
      }
      if (got == 0) {
        return Error(ErrorCode::conflict, "a file became shorter while it was put into an archive");
      }
      SHEAF_TRY(write({bytes.data(), static_cast<std::size_t>(got)}));
      left -= static_cast<std::uint64_t>(got);
    }
    return pad(size);
  }

  Output to;
  std::string buffer;
};

TarWriter::TarWriter(const os::Fd& to)
    : TarWriter([&to](std::string_view bytes) { return os::write_all(to, bytes); }) {}
TarWriter::TarWriter(Output to) : m_impl(std::make_unique<Impl>(std::move(to))) {}
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter::~TarWriter() = default;

Result<void> TarWriter::add(const Entry& entry, const os::Fd* content) {
  SHEAF_TRY(m_impl->header(entry));
  if (entry.type != EntryType::file || entry.size == 0) {
    return {};
  }
  if (content == nullptr) {
    return Error(ErrorCode::internal,
                 fmt::format("file '{}' of {} bytes came without its content", entry.path, entry.size));
  }
  return m_impl->content(*content, entry.size).context(fmt::format("adding '{}'", entry.path));
}

Result<void> TarWriter::finish() {
  SHEAF_TRY(m_impl->write(std::string(2 * k_block, '\0')));
  return m_impl->flush();
}

} // namespace sheaf::archive
