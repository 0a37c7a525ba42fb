// SPDX-License-Identifier: Apache-2.0
#include "cache/layer_object.hpp"

#include "archive/packing.hpp"
#include "archive/unpack.hpp"
#include "base/text.hpp"
#include "cache/tree_check.hpp"
#include "image/layer_blob.hpp"
#include "os/file.hpp"
#include "store/blobs.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace sheaf::cache {
namespace {

constexpr const char* k_diff_id = "sheaf.diff-id";
constexpr const char* k_entries = "sheaf.entries";
constexpr const char* k_encoder = "sheaf.encoder";
/// An inventory of a million files is smaller.
constexpr std::uint64_t k_largest_text = std::uint64_t{256} << 20U;

std::string folder_of(const store::LayerRecord& record) { return "layers/" + record.content_key.hex(); }

class Putting {
public:
  Putting(image::ImageTarget& target, store::Store& store, std::stop_token stop)
      : m_target(target), m_store(store), m_stop(std::move(stop)) {}

  Result<oci::Descriptor> text(const std::string& content, const std::string& type) {
    const oci::Descriptor blob{type, Digest::of(content), content.size(), {}, {}, {}};
    SHEAF_TRY_ASSIGN(const bool there, m_target.has(blob, m_stop));
    if (!there) {
      SHEAF_TRY_ASSIGN(const auto file, os::memory_file(content));
      SHEAF_TRY(m_target.put_blob(blob, file, m_stop));
      m_bytes += blob.size;
    }
    return blob;
  }

  Result<oci::Descriptor> tree(const store::LayerRecord& record) {
    const image::LayerWish wish{oci::Compression::zstd, image::Form::oci, 2};
    SHEAF_TRY_ASSIGN(const auto made, image::layer_blob({folder_of(record), record.content_key.digest}, wish, m_target,
                                                        m_store, m_stop));
    auto blob = made.record.blob;
    if (made.file) {
      SHEAF_TRY(m_target.put_blob(blob, *made.file, m_stop));
      m_bytes += blob.size;
    }
    blob.annotations = {{k_diff_id, made.record.diff_id.to_string()},
                        {k_entries, std::to_string(made.record.entries)},
                        {k_encoder, archive::encoder_name(archive::Packing::zstd)}};
    return blob;
  }

  std::uint64_t bytes() const { return m_bytes; }

private:
  image::ImageTarget& m_target;
  store::Store& m_store;
  std::stop_token m_stop;
  std::uint64_t m_bytes = 0;
};

class Getting {
public:
  /// `store` may be null if no tree is to be got.
  Getting(image::ImageSource& source, store::Store* store, std::stop_token stop)
      : m_source(source), m_store(store), m_stop(std::move(stop)) {}

  Result<oci::Manifest> manifest() {
    SHEAF_TRY_ASSIGN(const auto top, m_source.top(m_stop));
    SHEAF_TRY_ASSIGN(auto parsed, oci::parse_manifest(top.text, top.media_type));
    auto* manifest = std::get_if<oci::Manifest>(&parsed);
    if (manifest == nullptr || manifest->artifact_type != media_type::k_layer || manifest->layers.size() != 3 ||
        manifest->layers[1].media_type != media_type::k_inventory ||
        manifest->layers[2].media_type != media_type::k_facts) {
      return Error(ErrorCode::corrupt, "what is there under the tag is no layer of sheaf");
    }
    return std::move(*manifest);
  }

  Result<std::string> text(const oci::Descriptor& blob) {
    if (blob.size > k_largest_text) {
      return Error(ErrorCode::corrupt, fmt::format("blob {} is too large", blob.digest.to_string()));
    }
    std::string content;
    SHEAF_TRY(m_source.blob(
        blob,
        [&content](std::string_view bytes) -> Result<void> {
          content += bytes;
          return {};
        },
        m_stop));
    return content;
  }

  /// Unpacks the tree, and keeps the blob so that it need not be packed here.
  Result<void> tree(const oci::Descriptor& blob, const store::LayerRecord& record, const layer::Inventory& inventory,
                    const std::string& directory) {
    store::Blobs blobs(*m_store);
    SHEAF_TRY_ASSIGN(auto writer, blobs.create(store::Blobs::Verify::yes));
    SHEAF_TRY(m_source.blob(
        blob, [&writer](std::string_view bytes) { return writer.write(bytes); }, m_stop));
    auto plain = blob;
    plain.annotations.clear();
    SHEAF_TRY_ASSIGN(auto file, writer.commit(plain));
    SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open(std::move(file)));
    SHEAF_TRY(os::make_directories(directory));
    SHEAF_TRY_ASSIGN(const auto root, os::open(directory, O_RDONLY | O_DIRECTORY));
    archive::UnpackOptions options;
    options.whiteouts = archive::Whiteouts::overlay;
    options.digest = archive::ContentDigest::taken;
    SHEAF_TRY_ASSIGN(const auto unpacked, archive::unpack(reader, root, "/", options));
    SHEAF_TRY(check_tree(root, inventory, unpacked.contents));
    return remember(blob, plain, record, blobs);
  }

private:
  static Result<void> remember(const oci::Descriptor& blob, const oci::Descriptor& plain,
                               const store::LayerRecord& record, store::Blobs& blobs) {
    const auto said = [&blob](const char* name) {
      const auto found = blob.annotations.find(name);
      return found != blob.annotations.end() ? found->second : std::string();
    };
    const auto diff_id = Digest::parse(said(k_diff_id));
    const auto entries = to_number<std::uint64_t>(said(k_entries));
    if (!diff_id || !entries || said(k_encoder).empty()) {
      return {};
    }
    return blobs.save_record(folder_of(record), said(k_encoder), {plain, *diff_id, *entries});
  }

  image::ImageSource& m_source;
  store::Store* m_store;
  std::stop_token m_stop;
};

} // namespace

std::string tag_of(const RecipeKey& recipe) { return "layer-" + recipe.hex(); }

Result<Put> put_layer(const store::StoredLayer& layer, image::ImageTarget& target, store::Store& store,
                      const std::stop_token& stop) {
  Putting putting(target, store, stop);
  oci::Manifest manifest;
  manifest.media_type = oci::media_type::k_manifest;
  manifest.artifact_type = media_type::k_layer;
  SHEAF_TRY_ASSIGN(manifest.config, putting.text(store::serialise(layer.record), media_type::k_record));
  SHEAF_TRY_ASSIGN(auto tree, putting.tree(layer.record));
  SHEAF_TRY_ASSIGN(const auto inventory, os::read_file(layer.inventory()));
  SHEAF_TRY_ASSIGN(const auto facts, os::read_file(layer.facts()));
  SHEAF_TRY_ASSIGN(auto inventory_blob, putting.text(inventory, media_type::k_inventory));
  SHEAF_TRY_ASSIGN(auto facts_blob, putting.text(facts, media_type::k_facts));
  manifest.layers = {std::move(tree), std::move(inventory_blob), std::move(facts_blob)};
  const auto text = oci::serialise(manifest);
  Put put{putting.bytes(), {manifest.media_type, Digest::of(text), text.size(), {}, {}, manifest.artifact_type}};
  SHEAF_TRY(target.put_manifest(put.manifest, text, image::ImageTarget::Place::named, stop));
  return put;
}

Result<Object> peek_layer(const RecipeKey& recipe, image::ImageSource& source, const std::stop_token& stop) {
  Getting getting(source, nullptr, stop);
  SHEAF_TRY_ASSIGN(const auto manifest, getting.manifest());
  SHEAF_TRY_ASSIGN(const auto record_text, getting.text(manifest.config));
  Object object;
  SHEAF_TRY_ASSIGN(object.record, store::parse_layer_record(record_text));
  if (object.record.recipe_key != recipe) {
    return Error(ErrorCode::corrupt, fmt::format("the layer under '{}' is another one", tag_of(recipe)));
  }
  for (const auto& blob : manifest.layers) {
    object.bytes += blob.size;
  }
  return object;
}

Result<store::StoredLayer> get_layer(const RecipeKey& recipe, image::ImageSource& source, store::Store& store,
                                     const std::stop_token& stop) {
  Getting getting(source, &store, stop);
  SHEAF_TRY_ASSIGN(const auto manifest, getting.manifest());
  SHEAF_TRY_ASSIGN(const auto record_text, getting.text(manifest.config));
  SHEAF_TRY_ASSIGN(auto record, store::parse_layer_record(record_text));
  SHEAF_TRY_ASSIGN(const auto inventory, getting.text(manifest.layers[1]));
  SHEAF_TRY_ASSIGN(const auto facts, getting.text(manifest.layers[2]));
  // By content, so that neither a record nor its blobs can be exchanged one by one.
  if (record.recipe_key != recipe || record.content_key != store::content_key_of(record.config, inventory, facts)) {
    return Error(ErrorCode::corrupt, fmt::format("the layer under '{}' is another one", tag_of(recipe)));
  }
  SHEAF_TRY_ASSIGN(const auto entries, layer::parse_inventory(inventory));
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  const auto directory = staging.file("layer");
  SHEAF_TRY(getting.tree(manifest.layers[0], record, entries, directory + "/tree"));
  SHEAF_TRY(os::write_file(directory + "/inventory", inventory));
  SHEAF_TRY(os::write_file(directory + "/facts", facts));
  return store.commit(directory, record);
}

} // namespace sheaf::cache
