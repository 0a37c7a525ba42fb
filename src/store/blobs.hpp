// SPDX-License-Identifier: Apache-2.0
#pragma once

// Blobs of images by digest, and which blob a tree of the store became or came from, so that a layer is packed once
// and an image that nobody changed leaves as it came. Layout: docs/formats/store.md.

#include "base/digest.hpp"
#include "oci/manifest.hpp"
#include "os/fd.hpp"
#include "store/staging.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sheaf::store {

class Store;

/// A tree as a blob.
struct BlobRecord {
  /// With its media type.
  oci::Descriptor blob;
  /// Of the tar in it.
  Digest diff_id;
  /// Entries of the tar; 0 says that the layer holds nothing.
  std::uint64_t entries = 0;
  bool operator==(const BlobRecord&) const = default;
};

std::string serialise(const BlobRecord& record);
/// `corrupt` if the text is not a record.
Result<BlobRecord> parse_blob_record(std::string_view text);

/// The `encoder` of blobs that were not made here: kept as they came.
inline constexpr std::string_view k_as_it_came = "as it came";

/// A blob that is being written; what is not committed vanishes.
class [[nodiscard]] BlobWriter {
public:
  Result<void> write(std::string_view bytes);
  std::uint64_t bytes() const { return m_bytes; }
  /// Puts it in its place and gives its file, at the start. `corrupt` if size or digest are not those said.
  Result<os::Fd> commit(const oci::Descriptor& expected);
  /// The file, at its start, for a blob that is not kept.
  Result<os::Fd> take();

private:
  friend class Blobs;
  BlobWriter(Staging staging, os::Fd file, Store& store, bool verify)
      : m_staging(std::move(staging)), m_file(std::move(file)), m_store(&store), m_verify(verify) {}
  Staging m_staging;
  os::Fd m_file;
  Store* m_store;
  bool m_verify;
  Sha256 m_hash;
  std::uint64_t m_bytes = 0;
};

/// Safe from several threads and processes.
class Blobs {
public:
  explicit Blobs(Store& store) : m_store(store) {}

  /// Whether `commit` computes the digest, or who writes has compared it already.
  enum class Verify { yes, done };
  Result<BlobWriter> create(Verify verify);
  /// Keeps a small one, and describes it.
  Result<oci::Descriptor> put(std::string_view text, std::string_view media_type);
  bool has(const oci::Descriptor& blob) const;
  /// At its start; nothing if it is not there. One that was written before the machine last started is read once and
  /// compared: if damaged, it is removed and counts as not there.
  Result<std::optional<os::Fd>> open(const oci::Descriptor& blob) const;
  /// A small one as text; nothing if it is not there.
  Result<std::optional<std::string>> read(const Digest& blob) const;
  /// As `read`, without keeping it from being collected.
  Result<std::optional<std::string>> peek(const Digest& blob) const;
  /// As `peek`; nothing if it is no manifest of one image.
  Result<std::optional<oci::Manifest>> peek_manifest(const Digest& blob) const;

  /// `folder` as in TreeRef, `encoder` as of archive::encoder_name.
  Result<std::optional<BlobRecord>> find_record(std::string_view folder, std::string_view encoder) const;
  Result<void> save_record(std::string_view folder, std::string_view encoder, const BlobRecord& record);
  /// Where it is, below the store's root.
  static std::string record_part(std::string_view folder, std::string_view encoder);

private:
  std::string path_of(const Digest& digest) const;
  Store& m_store;
};

} // namespace sheaf::store
