// SPDX-License-Identifier: Apache-2.0
#include "image/layer_blob.hpp"

#include "archive/layer_writer.hpp"
#include "image/device_list.hpp"
#include "os/file.hpp"
#include "store/key_lock.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sheaf::image {
namespace {

archive::Packing packing(oci::Compression compression) {
  switch (compression) {
  case oci::Compression::gzip:
    return archive::Packing::gzip;
  case oci::Compression::zstd:
    return archive::Packing::zstd;
  case oci::Compression::none:
    break;
  }
  return archive::Packing::none;
}

oci::Compression made_with(const LayerWish& wish) {
  return wish.compression.value_or(wish.form == Form::docker ? oci::Compression::gzip : oci::Compression::zstd);
}

/// A blob that came from outside is good enough if it is packed at all, in a way that the form knows.
bool is_wanted(const store::BlobRecord& record, const LayerWish& wish) {
  const auto compression = oci::compression_of(record.blob.media_type);
  if (!compression) {
    return false;
  }
  if (wish.compression) {
    return *compression == *wish.compression;
  }
  return *compression == oci::Compression::gzip || (*compression == oci::Compression::zstd && wish.form == Form::oci);
}

class Maker {
public:
  Maker(const store::TreeRef& tree, const LayerWish& wish, store::Store& store, const std::stop_token& stop)
      : m_tree(tree), m_compression(made_with(wish)), m_threads(wish.threads), m_store(store), m_stop(stop) {}

  std::string encoder() const { return encoder_of(m_compression); }

  /// `origin`: what the tree was unpacked from, if it was.
  Result<LayerBlob> make(const std::optional<store::BlobRecord>& origin) {
    store::Blobs blobs(m_store);
    SHEAF_TRY_ASSIGN(auto writer, blobs.create(store::Blobs::Verify::done));
    const archive::Output keep = [&](std::string_view bytes) { return writer.write(bytes); };
    LayerBlob made;
    made.made = true;
    made.record.blob.media_type = oci::layer_media_type(m_compression);
    std::optional<os::Fd> packed;
    if (origin) {
      SHEAF_TRY_ASSIGN(packed, blobs.open(origin->blob));
    }
    SHEAF_TRY(packed ? repack(*packed, *origin, keep, made.record) : pack(keep, made.record));
    // What is not packed is made again as quickly as it is read, and would double the store.
    const bool is_kept = m_compression != oci::Compression::none;
    SHEAF_TRY_ASSIGN(made.file, is_kept ? writer.commit(made.record.blob) : writer.take());
    SHEAF_TRY(blobs.save_record(m_tree.folder, encoder(), made.record));
    return made;
  }

private:
  Result<void> pack(const archive::Output& to, store::BlobRecord& record) {
    SHEAF_TRY_ASSIGN(const auto root, os::open(m_store.tree_path(m_tree), O_RDONLY | O_DIRECTORY));
    archive::LayerOptions options;
    options.packing = packing(m_compression);
    options.threads = m_threads;
    SHEAF_TRY_ASSIGN(const auto devices,
                     os::read_file_if_exists(fmt::format("{}/{}/devices", m_store.root(), m_tree.folder)));
    if (devices) {
      SHEAF_TRY_ASSIGN(options.devices, parse_devices(*devices));
    }
    SHEAF_TRY_ASSIGN(const auto written, archive::write_layer(root, options, to, m_stop));
    record.blob.digest = written.blob;
    record.blob.size = written.blob_bytes;
    record.diff_id = written.diff_id;
    record.entries = written.entries;
    return {};
  }

  /// The tar stays as it came: its digest stands in the configuration.
  Result<void> repack(const os::Fd& from, const store::BlobRecord& origin, const archive::Output& to,
                      store::BlobRecord& record) {
    SHEAF_TRY_ASSIGN(const auto came_with, oci::compression_of(origin.blob.media_type));
    Sha256 hash;
    const archive::Output count = [&](std::string_view bytes) -> Result<void> {
      hash.update(bytes);
      record.blob.size += bytes.size();
      return to(bytes);
    };
    SHEAF_TRY_ASSIGN(auto compressor, archive::Compressor::create(packing(m_compression), m_threads, count));
    const archive::Output pass_on = [&](std::string_view bytes) { return compressor.write(bytes); };
    SHEAF_TRY_ASSIGN(auto decompressor, archive::Decompressor::create(packing(came_with), pass_on));
    SHEAF_TRY(feed(from, decompressor));
    SHEAF_TRY(decompressor.finish());
    SHEAF_TRY(compressor.finish());
    record.blob.digest = hash.finish();
    record.diff_id = origin.diff_id;
    record.entries = origin.entries;
    return {};
  }

  Result<void> feed(const os::Fd& from, archive::Decompressor& to) {
    std::string buffer(std::size_t{1} << 18U, '\0');
    for (;;) {
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      const auto got = ::read(from.get(), buffer.data(), buffer.size());
      if (got < 0 && errno != EINTR) {
        return Error::from_errno(errno, "reading a blob");
      }
      if (got == 0) {
        return {};
      }
      SHEAF_TRY(to.write(std::string_view(buffer).substr(0, got > 0 ? static_cast<std::size_t>(got) : 0)));
    }
  }

  const store::TreeRef& m_tree;
  oci::Compression m_compression;
  unsigned m_threads;
  store::Store& m_store;
  const std::stop_token& m_stop;
};

/// Nothing if neither the target nor the store has it.
Result<std::optional<LayerBlob>> find_blob(const store::BlobRecord& record, ImageTarget& target, store::Store& store,
                                           const std::stop_token& stop) {
  LayerBlob blob{record, std::nullopt, false};
  SHEAF_TRY_ASSIGN(const bool is_there, target.has(record.blob, stop));
  if (!is_there) {
    SHEAF_TRY_ASSIGN(blob.file, store::Blobs(store).open(record.blob));
  }
  return is_there || blob.file ? std::optional(std::move(blob)) : std::nullopt;
}

} // namespace

std::string encoder_of(oci::Compression compression) { return archive::encoder_name(packing(compression)); }

Result<LayerBlob> kept_blob(const store::BlobRecord& record, ImageTarget& target, store::Store& store,
                            const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(auto found, find_blob(record, target, store, stop));
  if (!found) {
    return Error(ErrorCode::corrupt, fmt::format("blob {} of the image is lost or damaged", record.blob.digest.hex()))
        .with_hint("pull or import the image again");
  }
  return std::move(*found);
}

Result<LayerBlob> layer_blob(const store::TreeRef& tree, const LayerWish& wish, ImageTarget& target,
                             store::Store& store, const std::stop_token& stop) {
  const auto doing = fmt::format("packing layer {}", tree.content.short_hex());
  store::Blobs blobs(store);
  Maker maker(tree, wish, store, stop);
  const auto encoder = maker.encoder();
  // Two that want the same blob make it once.
  const auto key = "pack-" + Digest::of(tree.folder + encoder).hex();
  SHEAF_TRY_ASSIGN(const auto lock, store::wait_for_key(store, key, stop).context(doing));
  SHEAF_TRY_ASSIGN(const auto origin, blobs.find_record(tree.folder, store::k_as_it_came).context(doing));
  SHEAF_TRY_ASSIGN(const auto before, blobs.find_record(tree.folder, encoder).context(doing));
  for (const auto& record : {origin && is_wanted(*origin, wish) ? origin : std::nullopt, before}) {
    if (record) {
      SHEAF_TRY_ASSIGN(auto found, find_blob(*record, target, store, stop).context(doing));
      if (found) {
        return std::move(*found);
      }
    }
  }
  SHEAF_TRY_ASSIGN(auto made, maker.make(origin).context(doing));
  // Somebody else may have brought it there.
  SHEAF_TRY_ASSIGN(const bool is_there, target.has(made.record.blob, stop).context(doing));
  if (is_there) {
    made.file.reset();
  }
  return made;
}

} // namespace sheaf::image
