// SPDX-License-Identifier: Apache-2.0
#include "archive/reader.hpp"

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace sheaf::archive {
namespace {

/// An archive entry's name or target is refused beyond this: no file system holds it, and a crafted header could ask
/// for as much memory as it likes.
constexpr std::size_t k_longest_name = 65536;

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

void enable_formats(::archive* handle) {
  archive_read_support_format_tar(handle);
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_zstd(handle);
}

std::optional<EntryType> type_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) {
    return EntryType::hard_link;
  }
  switch (archive_entry_filetype(entry)) {
  case AE_IFREG:
    return EntryType::file;
  case AE_IFDIR:
    return EntryType::directory;
  case AE_IFLNK:
    return EntryType::symlink;
  case AE_IFCHR:
    return EntryType::character_device;
  case AE_IFBLK:
    return EntryType::block_device;
  case AE_IFIFO:
    return EntryType::fifo;
  default:
    return std::nullopt;
  }
}

void add_attributes(archive_entry* from, Entry& to) {
  archive_entry_xattr_reset(from);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
    if (name != nullptr && value != nullptr) {
      to.attributes.insert_or_assign(name, std::string(static_cast<const char*>(value), size));
    }
  }
}

Entry entry_from(archive_entry* from, EntryType type) {
  Entry entry;
  entry.path = text_or_empty(archive_entry_pathname(from));
  entry.type = type;
  entry.mode = archive_entry_perm(from) & 07777U;
  entry.uid = static_cast<unsigned>(archive_entry_uid(from));
  entry.gid = static_cast<unsigned>(archive_entry_gid(from));
  entry.mtime = archive_entry_mtime(from);
  entry.size = type == EntryType::file && archive_entry_size(from) > 0
                   ? static_cast<std::uint64_t>(archive_entry_size(from))
                   : 0;
  entry.target = text_or_empty(type == EntryType::hard_link ? archive_entry_hardlink(from)
                               : type == EntryType::symlink ? archive_entry_symlink(from)
                                                            : nullptr);
  if (type == EntryType::character_device || type == EntryType::block_device) {
    entry.device_major = static_cast<unsigned>(archive_entry_rdevmajor(from));
    entry.device_minor = static_cast<unsigned>(archive_entry_rdevminor(from));
  }
  add_attributes(from, entry);
  return entry;
}

} // namespace

struct Reader::Impl {
  struct Free {
    void operator()(::archive* handle) const { archive_read_free(handle); }
  };

  enum class Filters { none, all };
  explicit Impl(Filters filters = Filters::all) : handle(archive_read_new()) {
    if (filters == Filters::all) {
      enable_formats(handle.get());
    } else {
      archive_read_support_format_tar(handle.get());
    }
  }

  static la_ssize_t read_next(::archive* archive, void* self, const void** bytes) {
    const auto next = static_cast<Impl*>(self)->pull();
    if (!next) {
      archive_set_error(archive, EIO, "its source failed");
      return ARCHIVE_FATAL;
    }
    *bytes = next->data();
    return static_cast<la_ssize_t>(next->size());
  }

  Error failure(std::string_view doing) const {
    const auto* text = archive_error_string(handle.get());
    const auto where = last.empty() ? std::string("at its start") : fmt::format("after entry '{}'", last);
    return Error(ErrorCode::corrupt,
                 fmt::format("{}: {} ({})", doing, text != nullptr ? text : "the archive is damaged", where))
        .with_hint("the archive is damaged or cut off; make or download it again");
  }

  std::unique_ptr<::archive, Free> handle;
  os::Fd file;
  std::string bytes;
  Pull pull;
  /// The name of the entry read last.
  std::string last;
};

Reader::Reader(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

namespace {

Error no_archive() {
  return {ErrorCode::invalid, "this is not a tar archive, plain or packed with gzip, bzip2, xz or zstd"};
}

} // namespace

Result<Reader> Reader::open(os::Fd file) {
  constexpr std::size_t k_block = 131072;
  auto impl = std::make_unique<Impl>();
  impl->file = std::move(file);
  if (archive_read_open_fd(impl->handle.get(), impl->file.get(), k_block) != ARCHIVE_OK) {
    return no_archive();
  }
  return Reader(std::move(impl));
}

Result<Reader> Reader::open_memory(std::string_view bytes) {
  auto impl = std::make_unique<Impl>();
  impl->bytes = bytes;
  if (archive_read_open_memory(impl->handle.get(), impl->bytes.data(), impl->bytes.size()) != ARCHIVE_OK) {
    return no_archive();
  }
  return Reader(std::move(impl));
}

Result<Reader> Reader::open_stream(Pull pull) {
  auto impl = std::make_unique<Impl>(Impl::Filters::none);
  archive_read_support_format_empty(impl->handle.get()); // as some tools write a layer that holds nothing
  impl->pull = std::move(pull);
  if (archive_read_open(impl->handle.get(), impl.get(), nullptr, &Impl::read_next, nullptr) != ARCHIVE_OK) {
    return Error(ErrorCode::corrupt, "this is not a tar archive");
  }
  return Reader(std::move(impl));
}

Result<std::optional<Entry>> Reader::next() {
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(m_impl->handle.get(), &entry);
    if (status == ARCHIVE_EOF) {
      return std::optional<Entry>();
    }
    // A warning is about text that is no UTF-8 or an attribute that is not known; the entry itself is whole.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
      return m_impl->failure("reading an archive");
    }
    const auto type = type_of(entry);
    if (!type) {
      continue;
    }
    auto result = entry_from(entry, *type);
    if (result.path.size() > k_longest_name || result.target.size() > k_longest_name) {
      return Error(ErrorCode::invalid, fmt::format("a name in the archive has {} bytes, after entry '{}'",
                                                   std::max(result.path.size(), result.target.size()), m_impl->last));
    }
    m_impl->last = result.path;
    return std::optional(std::move(result));
  }
}

Result<void> Reader::read(const OnBlock& on_block) {
  for (;;) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(m_impl->handle.get(), &bytes, &size, &offset);
    if (status == ARCHIVE_EOF) {
      return {};
    }
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
      return m_impl->failure("reading a file of an archive");
    }
    if (offset < 0) {
      return m_impl->failure("reading a file of an archive");
    }
    if (size > 0) {
      SHEAF_TRY(on_block(static_cast<std::uint64_t>(offset), {static_cast<const char*>(bytes), size}));
    }
  }
}

namespace {

/// Reads with pread, so that the descriptor's position stays.
struct Probe {
  const os::Fd* file = nullptr;
  off_t at = 0;
  std::array<char, 65536> buffer{};

  static la_ssize_t read(::archive* handle, void* self, const void** bytes) {
    auto& probe = *static_cast<Probe*>(self);
    for (;;) {
      const auto got = pread(probe.file->get(), probe.buffer.data(), probe.buffer.size(), probe.at);
      if (got >= 0) {
        probe.at += got;
        *bytes = probe.buffer.data();
        return got;
      }
      if (errno != EINTR) {
        archive_set_error(handle, errno, "reading");
        return ARCHIVE_FATAL;
      }
    }
  }
};

} // namespace

Result<bool> is_archive(const os::Fd& file) {
  auto probe = std::make_unique<Probe>();
  probe->file = &file;
  probe->at = lseek(file.get(), 0, SEEK_CUR);
  if (probe->at < 0) {
    return Error::from_errno(errno, "looking whether it is an archive");
  }
  const std::unique_ptr<::archive, int (*)(::archive*)> handle(archive_read_new(), archive_read_free);
  enable_formats(handle.get());
  archive_entry* entry = nullptr;
  if (archive_read_open(handle.get(), probe.get(), nullptr, &Probe::read, nullptr) != ARCHIVE_OK) {
    return false;
  }
  // libarchive unpacks as many layers of compression as there are, BuildKit one.
  if (archive_filter_count(handle.get()) > 2) {
    return false;
  }
  const int status = archive_read_next_header(handle.get(), &entry);
  return status == ARCHIVE_OK || status == ARCHIVE_WARN;
}

} // namespace sheaf::archive
