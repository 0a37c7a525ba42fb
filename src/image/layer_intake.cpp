// SPDX-License-Identifier: Apache-2.0
#include "image/layer_intake.hpp"

#include "archive/packing.hpp"
#include "archive/unpack.hpp"
#include "image/chunk_queue.hpp"
#include "image/device_list.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"
#include "store/key_lock.hpp"
#include "store/tree_digest.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>
#include <thread>

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

/// The threads behind the one that fetches: one computes the digest of the tar, one unpacks it.
class Consumers {
public:
  Consumers(std::string tree, const ImportOptions& options) : m_tree(std::move(tree)), m_options(options) {}
  Consumers(const Consumers&) = delete;
  Consumers& operator=(const Consumers&) = delete;
  ~Consumers() { end(ChunkQueue::End::broken_off); }

  /// False if unpacking failed and no more is wanted.
  bool push(std::string_view bytes) {
    const auto chunk = std::make_shared<const std::string>(bytes);
    return m_to_hash.push(chunk) && m_to_unpack.push(chunk);
  }

  void end(ChunkQueue::End end) {
    m_to_hash.close(end);
    m_to_unpack.close(end);
    m_hasher = {};
    m_unpacker = {};
  }

  /// After `end`.
  const Digest& diff_id() const { return m_diff_id; }
  Result<archive::Unpacked>& unpacked() { return m_unpacked; }

private:
  void hash() {
    Sha256 hash;
    while (const auto chunk = m_to_hash.pop()) {
      hash.update(*chunk);
    }
    m_diff_id = hash.finish();
  }

  Result<archive::Unpacked> unpack_all() {
    ChunkQueue::Chunk current; // the reader looks at it until it asks for the next
    const auto pull = [&]() -> Result<std::string_view> {
      do {
        current = m_to_unpack.pop();
      } while (current && current->empty());
      if (!current && m_to_unpack.is_broken()) {
        return Error(ErrorCode::cancelled, "the layer was broken off");
      }
      return current ? std::string_view(*current) : std::string_view();
    };
    SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open_stream(pull));
    SHEAF_TRY_ASSIGN(const auto root, os::open(m_tree, O_RDONLY | O_DIRECTORY));
    archive::UnpackOptions options;
    options.whiteouts = archive::Whiteouts::overlay;
    options.most_bytes = m_options.most_bytes;
    options.most_entries = m_options.most_entries;
    options.digest = archive::ContentDigest::taken;
    SHEAF_TRY_ASSIGN(auto unpacked, archive::unpack(reader, root, "/", options));
    // What follows the end mark is part of the digest, and of nothing else.
    while (m_to_unpack.pop()) {
    }
    return unpacked;
  }

  void unpack() {
    m_unpacked = unpack_all();
    m_to_unpack.abandon();
  }

  std::string m_tree;
  const ImportOptions& m_options;
  ChunkQueue m_to_hash;
  ChunkQueue m_to_unpack;
  Digest m_diff_id;
  Result<archive::Unpacked> m_unpacked = Error(ErrorCode::internal, "a layer was not unpacked");
  // Last: they use all of the above, and end before it does.
  std::jthread m_hasher{[this] { hash(); }};
  std::jthread m_unpacker{[this] { unpack(); }};
};

/// Does the root of an unpacked layer have a mark of ".wh..wh..opq"?
Result<bool> is_opaque(const std::string& tree) {
  SHEAF_TRY_ASSIGN(const auto root, os::open(tree, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_of(root, tree));
  const auto mark = attributes.find(std::string(os::overlay_prefix()) + "opaque");
  return mark != attributes.end() && mark->second == "y";
}

class Intake {
public:
  Intake(ImageSource& source, const oci::Descriptor& layer, const ImportOptions& options, store::Store& store,
         const std::stop_token& stop)
      : m_source(source), m_layer(layer), m_options(options), m_store(store), m_stop(stop) {}

  Result<TakenLayer> run(const Digest& diff_id) {
    store::Blobs blobs(m_store);
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    const auto directory = staging.file("layer");
    SHEAF_TRY(os::make_directories(directory + "/tree"));
    SHEAF_TRY_ASSIGN(const auto unpacked, unpack(diff_id, directory + "/tree"));
    if (!unpacked.devices_left_out.empty()) {
      SHEAF_TRY(os::write_file(directory + "/devices", serialise(unpacked.devices_left_out)));
    }
    SHEAF_TRY_ASSIGN(const auto digest, store::digest_tree(directory + "/tree", unpacked.contents));
    TakenLayer taken;
    taken.record = {m_layer, diff_id, unpacked.entries};
    SHEAF_TRY_ASSIGN(taken.tree, m_store.commit_unpacked(directory, m_layer.digest, digest));
    SHEAF_TRY_ASSIGN(taken.hides_all_below, is_opaque(m_store.tree_path(taken.tree)));
    // Last: who finds the record finds the rest.
    SHEAF_TRY(blobs.save_record(taken.tree.folder, store::k_as_it_came, taken.record));
    return taken;
  }

  /// The blob alone, of a layer whose tree is there. It is unpacked all the same: what is wrong is not kept.
  Result<void> bring_blob(const Digest& diff_id) {
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
    const auto tree = staging.file("tree");
    SHEAF_TRY(os::make_directories(tree));
    SHEAF_TRY(unpack(diff_id, tree));
    return {};
  }

  Result<archive::Unpacked> unpack(const Digest& diff_id, const std::string& tree) {
    SHEAF_TRY_ASSIGN(const auto compression, oci::compression_of(m_layer.media_type));
    store::Blobs blobs(m_store);
    SHEAF_TRY_ASSIGN(auto writer, blobs.create(store::Blobs::Verify::done));
    SHEAF_TRY_ASSIGN(auto unpacked, stream(packing(compression), writer, tree, diff_id));
    SHEAF_TRY(writer.commit(m_layer));
    return unpacked;
  }

private:
  Error cut(std::string_view what) const {
    return {ErrorCode::corrupt, fmt::format("{} sent {} of a layer of {} bytes", m_source.name(), what, m_layer.size)};
  }

  Result<archive::Unpacked> stream(archive::Packing packing, store::BlobWriter& writer, const std::string& tree,
                                   const Digest& diff_id) {
    Consumers consumers(tree, m_options);
    auto fetched = fetch(packing, writer, consumers);
    consumers.end(fetched ? ChunkQueue::End::whole : ChunkQueue::End::broken_off);
    auto& unpacked = consumers.unpacked();
    // Where unpacking failed first, fetching failed because of it.
    const bool was_unpacking = !unpacked && unpacked.error().code() != ErrorCode::cancelled;
    if (m_unwanted && was_unpacking) {
      return std::move(unpacked);
    }
    SHEAF_TRY(fetched);
    SHEAF_TRY(unpacked);
    if (consumers.diff_id() != diff_id) {
      return Error(ErrorCode::corrupt, fmt::format("the layer's files have digest {}, the configuration says {}",
                                                   consumers.diff_id().short_hex(), diff_id.short_hex()));
    }
    return std::move(unpacked);
  }

  Result<void> fetch(archive::Packing packing, store::BlobWriter& writer, Consumers& consumers) {
    SHEAF_TRY_ASSIGN(auto decompressor,
                     archive::Decompressor::create(packing, [&](std::string_view bytes) -> Result<void> {
                       m_tar_bytes += bytes.size();
                       return m_tar_bytes > most_tar_bytes() ? too_large() : pass_on(bytes, consumers);
                     }));
    const Sink sink = [&](std::string_view bytes) -> Result<void> {
      SHEAF_TRY(check_beginning(bytes, packing));
      SHEAF_TRY(writer.write(bytes));
      if (writer.bytes() > m_layer.size) {
        return cut("more");
      }
      report(writer.bytes());
      return decompressor.write(bytes);
    };
    SHEAF_TRY(m_source.blob(m_layer, sink, m_stop));
    if (writer.bytes() != m_layer.size) {
      return cut(fmt::format("{} bytes", writer.bytes()));
    }
    return decompressor.finish();
  }

  Result<void> pass_on(std::string_view bytes, Consumers& consumers) {
    if (m_stop.stop_requested()) {
      return Error(ErrorCode::cancelled, "stopped");
    }
    if (!consumers.push(bytes)) {
      m_unwanted = true;
      return Error(ErrorCode::corrupt, "the layer could not be unpacked");
    }
    return {};
  }

  /// Files, their headers, and what may follow the end.
  std::uint64_t most_tar_bytes() const {
    constexpr std::uint64_t k_spare = std::uint64_t{64} << 20U;
    return m_options.most_bytes + m_options.most_bytes / 4 + k_spare;
  }
  Error too_large() const {
    return {ErrorCode::invalid, fmt::format("the layer is a tar of more than {} bytes", most_tar_bytes())};
  }

  /// A layer that is not packed as its media type says would mean different things to different readers.
  Result<void> check_beginning(std::string_view bytes, archive::Packing packing) {
    constexpr std::size_t k_enough = 4;
    if (m_beginning.size() == k_enough || bytes.empty()) {
      return {};
    }
    m_beginning += bytes.substr(0, k_enough - m_beginning.size());
    if (m_beginning.size() == k_enough && archive::packing_of(m_beginning) != packing) {
      return Error(ErrorCode::corrupt,
                   fmt::format("the layer is not packed as its type '{}' says", m_layer.media_type));
    }
    return {};
  }

  void report(std::uint64_t done) const {
    if (m_options.on_progress) {
      m_options.on_progress({m_layer.digest, done, m_layer.size, false});
    }
  }

  ImageSource& m_source;
  const oci::Descriptor& m_layer;
  const ImportOptions& m_options;
  store::Store& m_store;
  const std::stop_token& m_stop;
  std::string m_beginning;
  std::uint64_t m_tar_bytes = 0;
  bool m_unwanted = false;
};

} // namespace

Result<archive::Unpacked> unpack_layer(ImageSource& source, const oci::Descriptor& layer, const Digest& diff_id,
                                       const ImportOptions& options, const std::string& tree, store::Store& store,
                                       const std::stop_token& stop) {
  return Intake(source, layer, options, store, stop).unpack(diff_id, tree);
}

Result<std::optional<TakenLayer>> find_layer(const Digest& blob, store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto record, store::Blobs(store).find_record("unpacked/" + blob.hex(), store::k_as_it_came));
  if (!record) {
    return std::optional<TakenLayer>();
  }
  auto tree = store.find_unpacked(blob);
  if (!tree) {
    return std::optional<TakenLayer>();
  }
  SHEAF_TRY_ASSIGN(const bool hides_all, is_opaque(store.tree_path(*tree)));
  return std::optional(TakenLayer{std::move(*tree), *record, hides_all});
}

Result<TakenLayer> take_in_layer(ImageSource& source, const oci::Descriptor& layer, const Digest& diff_id,
                                 const ImportOptions& options, store::Store& store, const std::stop_token& stop) {
  const auto doing = fmt::format("layer {}", layer.digest.short_hex());
  // Two that want the same layer fetch it once.
  SHEAF_TRY_ASSIGN(const auto lock, store::wait_for_key(store, "blob-" + layer.digest.hex(), stop).context(doing));
  SHEAF_TRY_ASSIGN(auto found, find_layer(layer.digest, store).context(doing));
  if (found) {
    if (found->record.diff_id != diff_id) {
      return Error(ErrorCode::corrupt, fmt::format("the layer's files have digest {}, the configuration says {}",
                                                   found->record.diff_id.short_hex(), diff_id.short_hex()))
          .with_context(std::string(doing));
    }
    if (!store::Blobs(store).has(layer)) {
      SHEAF_TRY(Intake(source, layer, options, store, stop).bring_blob(diff_id).context(doing));
    } else if (options.on_progress) {
      options.on_progress({layer.digest, layer.size, layer.size, true});
    }
    return std::move(*found);
  }
  return Intake(source, layer, options, store, stop).run(diff_id).context(doing);
}

std::vector<store::TreeRef> mounted(const std::vector<TakenLayer>& layers) {
  std::vector<store::TreeRef> trees; // top first
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile std::views::reverse
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->record.entries > 0 && std::ranges::find(trees, layer->tree) == trees.end()) {
      trees.push_back(layer->tree);
    }
    if (layer->hides_all_below) {
      break;
    }
  }
  std::ranges::reverse(trees);
  return trees;
}

} // namespace sheaf::image
