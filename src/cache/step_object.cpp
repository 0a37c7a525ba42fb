// SPDX-License-Identifier: Apache-2.0
#include "cache/step_object.hpp"

#include "image/layer_intake.hpp"
#include "os/file.hpp"
#include "store/blobs.hpp"
#include "store/key_lock.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace sheaf::cache {
namespace {

using Json = nlohmann::json;

constexpr int k_version = 1;
/// Some hundred thousand steps.
constexpr std::uint64_t k_largest_list = std::uint64_t{64} << 20U;
constexpr std::uint64_t k_largest_record = std::uint64_t{64} << 10U;

Result<Digest> digest_in(const Json& json, const char* name) { return Digest::parse(json.at(name).get<std::string>()); }

Result<store::BlobRecord> blob_in(const Json& json, const std::vector<oci::Descriptor>& layers) {
  store::BlobRecord blob;
  SHEAF_TRY_ASSIGN(const auto digest, digest_in(json, "digest"));
  const auto layer = std::ranges::find(layers, digest, &oci::Descriptor::digest);
  if (layer == layers.end()) {
    return Error(ErrorCode::corrupt, fmt::format("it names a tree {} that it does not have", digest.short_hex()));
  }
  SHEAF_TRY(oci::compression_of(layer->media_type));
  blob.blob = *layer;
  blob.blob.annotations.clear();
  SHEAF_TRY_ASSIGN(blob.diff_id, digest_in(json, "diff_id"));
  blob.entries = json.at("entries");
  return blob;
}

Result<StepEntry> entry_in(const Json& json, const std::vector<oci::Descriptor>& layers) {
  StepEntry entry;
  SHEAF_TRY_ASSIGN(entry.key, digest_in(json, "key"));
  const auto record = json.at("record").dump(-1, ' ', false, Json::error_handler_t::replace);
  if (record.size() > k_largest_record) {
    return Error(ErrorCode::corrupt, "it has a record that is too large");
  }
  SHEAF_TRY_ASSIGN(entry.record, store::parse_step_record(record));
  if (const auto blob = json.find("blob"); blob != json.end()) {
    SHEAF_TRY_ASSIGN(entry.blob, blob_in(*blob, layers));
    entry.encoder = blob->at("encoder");
  }
  return entry;
}

Result<StepList> list_in(const Json& json, const std::vector<oci::Descriptor>& layers) {
  if (json.at("version") != k_version) {
    return Error(ErrorCode::unsupported, "it was written by a newer sheaf");
  }
  StepList list;
  for (const auto& step : json.at("steps")) {
    SHEAF_TRY_ASSIGN(auto entry, entry_in(step, layers));
    list.steps.push_back(std::move(entry));
  }
  for (const auto& [name, digest] : json.at("selections").items()) {
    SHEAF_TRY_ASSIGN(const auto selection, Digest::parse(name));
    SHEAF_TRY_ASSIGN(list.selections[selection], Digest::parse(digest.get<std::string>()));
  }
  return list;
}

/// Puts blobs, once each.
class Putting {
public:
  Putting(const image::LayerWish& wish, image::ImageTarget& target, store::Store& store, const std::stop_token& stop)
      : m_wish(wish), m_target(target), m_store(store), m_stop(stop) {}

  /// `entry` gets the blob that the target has of its tree, or none.
  Result<void> tree(StepEntry& entry) {
    const store::TreeRef tree{entry.record.folder(), entry.record.content};
    if (const auto done = m_done.find(tree.folder); done != m_done.end()) {
      entry.blob = done->second.blob;
      entry.encoder = done->second.encoder;
      return {};
    }
    SHEAF_TRY_ASSIGN(const bool is_here, m_store.adopt_step(entry.key, entry.record));
    if (is_here) {
      SHEAF_TRY_ASSIGN(const auto made, image::layer_blob(tree, m_wish, m_target, m_store, m_stop));
      if (made.file) {
        SHEAF_TRY(m_target.put_blob(made.record.blob, *made.file, m_stop));
        m_bytes += made.record.blob.size;
      }
      entry.blob = made.record;
      SHEAF_TRY_ASSIGN(const auto compression, oci::compression_of(made.record.blob.media_type));
      entry.encoder = image::encoder_of(compression);
    } else if (entry.blob) {
      SHEAF_TRY_ASSIGN(const bool is_there, m_target.has(entry.blob->blob, m_stop));
      entry.blob = is_there ? entry.blob : std::nullopt;
    }
    m_done.emplace(tree.folder, entry);
    return {};
  }

  Result<oci::Descriptor> text(std::string_view content, std::string_view type) {
    oci::Descriptor blob{std::string(type), Digest::of(content), content.size(), {}, {}, {}};
    SHEAF_TRY_ASSIGN(const bool is_there, m_target.has(blob, m_stop));
    if (!is_there) {
      SHEAF_TRY_ASSIGN(const auto file, os::memory_file(content));
      SHEAF_TRY(m_target.put_blob(blob, file, m_stop));
      m_bytes += blob.size;
    }
    return blob;
  }

  std::uint64_t bytes() const { return m_bytes; }

private:
  const image::LayerWish& m_wish;
  image::ImageTarget& m_target;
  store::Store& m_store;
  const std::stop_token& m_stop;
  std::map<std::string, StepEntry> m_done; ///< by folder
  std::uint64_t m_bytes = 0;
};

std::vector<oci::Descriptor> layers_of(const StepList& list) {
  std::vector<oci::Descriptor> layers;
  std::set<Digest> known;
  for (const auto& step : list.steps) {
    if (step.blob && known.insert(step.blob->blob.digest).second) {
      auto& layer = layers.emplace_back(step.blob->blob);
      layer.annotations.clear();
      layer.platform.reset();
    }
  }
  return layers;
}

Error another_tree() { return {ErrorCode::corrupt, "its tree is not the one that its record says"}; }

} // namespace

std::string serialise(const StepList& list) {
  auto steps = Json::array();
  for (const auto& entry : list.steps) {
    Json step{{"key", entry.key.to_string()}, {"record", Json::parse(store::serialise(entry.record))}};
    if (entry.blob) {
      step["blob"] = {{"digest", entry.blob->blob.digest.to_string()},
                      {"diff_id", entry.blob->diff_id.to_string()},
                      {"entries", entry.blob->entries},
                      {"encoder", entry.encoder}};
    }
    steps.push_back(std::move(step));
  }
  auto selections = Json::object();
  for (const auto& [name, digest] : list.selections) {
    selections[name.to_string()] = digest.to_string();
  }
  return Json{{"version", k_version}, {"steps", std::move(steps)}, {"selections", std::move(selections)}}.dump();
}

Result<StepList> parse_step_list(std::string_view text, const std::vector<oci::Descriptor>& layers) {
  try {
    return list_in(Json::parse(text), layers).context("reading the list of steps");
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, std::string("reading the list of steps: ") + error.what());
  }
}

Result<PutSteps> put_steps(StepList list, const std::vector<std::string>& with_tree, const image::LayerWish& wish,
                           image::ImageTarget& target, store::Store& store, const std::stop_token& stop) {
  Putting putting(wish, target, store, stop);
  const std::set<std::string> wanted(with_tree.begin(), with_tree.end());
  for (auto& entry : list.steps) {
    if (entry.record.files > 0 && wanted.contains(entry.record.folder())) {
      SHEAF_TRY(putting.tree(entry));
    } else {
      entry.blob.reset();
    }
  }
  PutSteps put;
  put.manifest.media_type = oci::media_type::k_manifest;
  put.manifest.artifact_type = media_type::k_steps;
  put.manifest.layers = layers_of(list);
  if (put.manifest.layers.empty()) { // image-spec 1.1: at least one, if only the empty one
    SHEAF_TRY_ASSIGN(auto empty, putting.text("{}", oci::media_type::k_empty));
    put.manifest.layers.push_back(std::move(empty));
  }
  SHEAF_TRY_ASSIGN(put.manifest.config, putting.text(serialise(list), media_type::k_step_list));
  put.bytes = putting.bytes();
  return put;
}

Result<StepList> get_steps(image::ImageSource& source, const std::stop_token& stop) {
  SHEAF_TRY_ASSIGN(const auto top, source.top(stop));
  SHEAF_TRY_ASSIGN(const auto parsed, oci::parse_manifest(top.text, top.media_type));
  const auto* manifest = std::get_if<oci::Manifest>(&parsed);
  if (manifest == nullptr || manifest->artifact_type != media_type::k_steps) {
    return Error(ErrorCode::unsupported, "what is there holds no steps of sheaf");
  }
  if (manifest->config.size > k_largest_list) {
    return Error(ErrorCode::corrupt, "its list of steps is too large");
  }
  std::string text;
  SHEAF_TRY(source.blob(
      manifest->config,
      [&text](std::string_view bytes) -> Result<void> {
        text += bytes;
        return {};
      },
      stop));
  return parse_step_list(text, manifest->layers);
}

Result<void> get_tree(const StepEntry& entry, image::ImageSource& source, store::Store& store,
                      const std::stop_token& stop) {
  if (!entry.blob) {
    return Error(ErrorCode::not_found, "its tree was not put there");
  }
  SHEAF_TRY_ASSIGN(const auto lock, store::wait_for_key(store, "step-tree-" + entry.record.exact.hex(), stop));
  SHEAF_TRY_ASSIGN(const bool is_here, store.adopt_step(entry.key, entry.record));
  if (is_here) {
    return {};
  }
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  const auto directory = staging.file("step");
  SHEAF_TRY(os::make_directories(directory + "/tree"));
  SHEAF_TRY_ASSIGN(const auto unpacked, image::unpack_layer(source, entry.blob->blob, entry.blob->diff_id, {},
                                                            directory + "/tree", store, stop));
  if (!unpacked.devices_left_out.empty()) {
    return Error(ErrorCode::unsupported, "its tree has device nodes, which only root can make");
  }
  SHEAF_TRY_ASSIGN(const auto digest, store::digest_tree(directory + "/tree"));
  if (digest.content != entry.record.content || digest.exact != entry.record.exact) {
    return another_tree();
  }
  SHEAF_TRY(store.commit_step(directory, entry.key, entry.record));
  const store::BlobRecord blob{entry.blob->blob, entry.blob->diff_id, unpacked.entries};
  return entry.encoder.empty() ? Result<void>()
                               : store::Blobs(store).save_record(entry.record.folder(), entry.encoder, blob);
}

} // namespace sheaf::cache
