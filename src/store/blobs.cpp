// SPDX-License-Identifier: Apache-2.0
#include "store/blobs.hpp"

#include "os/file.hpp"
#include "store/in_use.hpp"
#include "store/record_json.hpp"
#include "store/store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sheaf::store {
namespace {

using Json = nlohmann::json;

constexpr const char* k_blobs = "blobs/sha256";
/// Beside each blob, under the same name, in which run of the machine it was written or last compared.
constexpr const char* k_checked = "blobs/checked";
constexpr const char* k_records = "blobs/records";

std::string part_of(const Digest& blob) { return fmt::format("{}/{}", k_blobs, blob.hex()); }

Result<void> rewind(const os::Fd& file) {
  return lseek(file.get(), 0, SEEK_SET) == 0 ? Result<void>() : Error::from_errno(errno, "going to a blob's start");
}

Result<Digest> digest_of(const os::Fd& file) {
  Sha256 hash;
  std::string buffer(std::size_t{1} << 18U, '\0');
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno != EINTR) {
      return Error::from_errno(errno, "reading a blob");
    }
    if (got == 0) {
      return hash.finish();
    }
    hash.update(std::string_view(buffer).substr(0, got > 0 ? static_cast<std::size_t>(got) : 0));
  }
}

/// Within the boot in which it was written a blob is as it was; after that it is read and compared once. A blob that
/// cannot be read just now is no damaged one: that is an error.
Result<bool> is_whole(const os::Fd& file, const oci::Descriptor& blob, const std::string& root) {
  const auto mark = fmt::format("{}/{}/{}", root, k_checked, blob.digest.hex());
  SHEAF_TRY_ASSIGN(const auto info, os::stat_of(file));
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != blob.size) {
    return false;
  }
  const auto boot = os::boot_id();
  const auto checked = os::read_file(mark);
  if (checked && !boot.empty() && *checked == boot + "\n") {
    return true;
  }
  SHEAF_TRY_ASSIGN(const auto digest, digest_of(file));
  if (digest != blob.digest) {
    return false;
  }
  ignore(write_file(root, mark, boot + "\n"), "remembering that a blob is whole");
  return true;
}

} // namespace

std::string serialise(const BlobRecord& record) {
  const Json json = {{"version", 1},
                     {"media_type", record.blob.media_type},
                     {"digest", record.blob.digest.to_string()},
                     {"size", record.blob.size},
                     {"diff_id", record.diff_id.to_string()},
                     {"entries", record.entries}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<BlobRecord> parse_blob_record(std::string_view text) {
  try {
    const auto json = parse_record_json(text);
    BlobRecord record;
    record.blob.media_type = json.at("media_type");
    SHEAF_TRY_ASSIGN(record.blob.digest, Digest::parse(json.at("digest").get<std::string>()));
    record.blob.size = json.at("size");
    SHEAF_TRY_ASSIGN(record.diff_id, Digest::parse(json.at("diff_id").get<std::string>()));
    record.entries = json.at("entries");
    return record;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading a blob's record: ") + error.what());
  }
}

// --- BlobWriter

Result<void> BlobWriter::write(std::string_view bytes) {
  m_bytes += bytes.size();
  if (m_verify) {
    m_hash.update(bytes);
  }
  return os::write_all(m_file, bytes).context("writing a blob");
}

Result<os::Fd> BlobWriter::commit(const oci::Descriptor& expected) {
  const auto doing = fmt::format("keeping blob {}", expected.digest.short_hex());
  if (m_bytes != expected.size) {
    return Error(ErrorCode::corrupt, fmt::format("it has {} bytes instead of {}", m_bytes, expected.size))
        .with_context(std::string(doing));
  }
  if (m_verify && m_hash.finish() != expected.digest) {
    return Error(ErrorCode::corrupt, "its content has another digest").with_context(std::string(doing));
  }
  const auto hex = expected.digest.hex();
  const auto& root = m_store->root();
  SHEAF_TRY(m_store->use(part_of(expected.digest)).context(doing));
  SHEAF_TRY(write_file(root, fmt::format("{}/{}/{}", root, k_checked, hex), os::boot_id() + "\n").context(doing));
  SHEAF_TRY(os::rename(m_staging.file("blob"), fmt::format("{}/{}/{}", root, k_blobs, hex)).context(doing));
  return take();
}

Result<os::Fd> BlobWriter::take() {
  SHEAF_TRY(rewind(m_file));
  return std::move(m_file);
}

// --- Blobs

std::string Blobs::path_of(const Digest& digest) const {
  return fmt::format("{}/{}/{}", m_store.root(), k_blobs, digest.hex());
}

Result<BlobWriter> Blobs::create(Verify verify) {
  SHEAF_TRY(m_store.folder(k_blobs));
  SHEAF_TRY(m_store.folder(k_checked));
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  SHEAF_TRY_ASSIGN(auto file, os::open(staging.file("blob"), O_RDWR | O_CREAT | O_EXCL, 0644));
  return BlobWriter(std::move(staging), std::move(file), m_store, verify == Verify::yes);
}

Result<oci::Descriptor> Blobs::put(std::string_view text, std::string_view media_type) {
  oci::Descriptor blob;
  blob.media_type = media_type;
  blob.digest = Digest::of(text);
  blob.size = text.size();
  SHEAF_TRY_ASSIGN(const auto there, open(blob));
  if (!there) {
    SHEAF_TRY_ASSIGN(auto writer, create(Verify::done));
    SHEAF_TRY(writer.write(text));
    SHEAF_TRY(writer.commit(blob));
  }
  return blob;
}

bool Blobs::has(const oci::Descriptor& blob) const {
  if (!m_store.use(part_of(blob.digest))) {
    return false;
  }
  const auto stamp = os::stamp(path_of(blob.digest));
  return stamp && stamp->size == blob.size;
}

Result<std::optional<os::Fd>> Blobs::open(const oci::Descriptor& blob) const {
  const auto path = path_of(blob.digest);
  SHEAF_TRY(m_store.use(part_of(blob.digest)));
  auto file = os::open(path, O_RDONLY);
  if (!file && file.error().code() == ErrorCode::not_found) {
    return std::optional<os::Fd>();
  }
  SHEAF_TRY(file);
  SHEAF_TRY_ASSIGN(const bool whole, is_whole(*file, blob, m_store.root()).context(fmt::format("checking '{}'", path)));
  if (!whole) {
    SHEAF_TRY(rewind(*file));
    SHEAF_TRY_ASSIGN(const auto digest, digest_of(*file).context(fmt::format("checking '{}'", path)));
    if (digest != blob.digest) { // else only the size that was asked for is wrong
      SHEAF_TRY(os::remove_file_if_exists(path));
    }
    return std::optional<os::Fd>();
  }
  SHEAF_TRY(rewind(*file));
  return std::optional(std::move(*file));
}

Result<std::optional<std::string>> Blobs::read(const Digest& blob) const {
  SHEAF_TRY(m_store.use(part_of(blob)));
  return peek(blob);
}

Result<std::optional<std::string>> Blobs::peek(const Digest& blob) const {
  SHEAF_TRY_ASSIGN(auto text, os::read_file_if_exists(path_of(blob)));
  return text && Digest::of(*text) == blob ? std::move(text) : std::nullopt;
}

Result<std::optional<oci::Manifest>> Blobs::peek_manifest(const Digest& blob) const {
  SHEAF_TRY_ASSIGN(const auto text, peek(blob));
  auto parsed = oci::parse_manifest(text.value_or(""));
  auto* manifest = parsed ? std::get_if<oci::Manifest>(&*parsed) : nullptr;
  return manifest != nullptr ? std::optional(std::move(*manifest)) : std::nullopt;
}

std::string Blobs::record_part(std::string_view folder, std::string_view encoder) {
  Sha256 name;
  name.field(folder).field(encoder);
  return fmt::format("{}/{}.json", k_records, name.finish().hex());
}

Result<std::optional<BlobRecord>> Blobs::find_record(std::string_view folder, std::string_view encoder) const {
  const auto part = record_part(folder, encoder);
  SHEAF_TRY(m_store.use(part));
  SHEAF_TRY_ASSIGN(const auto text, os::read_file_if_exists(fmt::format("{}/{}", m_store.root(), part)));
  auto record = text ? parse_blob_record(*text) : Result<BlobRecord>(Error(ErrorCode::not_found, "no record"));
  // A record that cannot be read is made anew.
  return record ? std::optional(std::move(*record)) : std::nullopt;
}

Result<void> Blobs::save_record(std::string_view folder, std::string_view encoder, const BlobRecord& record) {
  SHEAF_TRY(m_store.folder(k_records));
  const auto part = record_part(folder, encoder);
  SHEAF_TRY(m_store.use(part));
  return write_file(m_store.root(), fmt::format("{}/{}", m_store.root(), part), serialise(record))
      .context("remembering a blob");
}

} // namespace sheaf::store
