// SPDX-License-Identifier: Apache-2.0
#include "image/export.hpp"

#include "image/layer_blob.hpp"
#include "image/layer_intake.hpp"
#include "oci/root_fs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace sheaf::image {
namespace {

/// What an image came as, if it still says the same.
struct Original {
  std::string manifest_text;
  oci::Manifest manifest;
  std::string config_text;
  std::vector<TakenLayer> layers;
};

/// Nothing if the image is new, or was changed since it came.
Result<std::optional<Original>> find_original(const store::ImageRecord& image, const ExportOptions& options,
                                              store::Store& store) {
  const std::optional<Original> none;
  const store::Blobs blobs(store);
  if (!image.manifest || !image.config) {
    return none;
  }
  SHEAF_TRY_ASSIGN(auto manifest_text, blobs.read(*image.manifest));
  SHEAF_TRY_ASSIGN(auto config_text, blobs.read(*image.config));
  if (!manifest_text || !config_text) {
    return none;
  }
  const auto parsed = oci::parse_manifest(*manifest_text);
  const auto config = oci::parse_image(*config_text);
  const auto root = oci::parse_root_fs(*config_text);
  if (!parsed || !std::holds_alternative<oci::Manifest>(*parsed) || !config || !root) {
    return none;
  }
  Original original{std::move(*manifest_text), std::get<oci::Manifest>(*parsed), std::move(*config_text), {}};
  for (const auto& layer : original.manifest.layers) {
    SHEAF_TRY_ASSIGN(auto found, find_layer(layer.digest, store));
    if (!found) {
      return none;
    }
    original.layers.push_back(std::move(*found));
  }
  const bool is_same = *config == image.image && mounted(original.layers) == image.trees &&
                       (!options.created || *options.created == root->created);
  return is_same ? std::optional(std::move(original)) : none;
}

Form form_of(const oci::Manifest& manifest) {
  return manifest.media_type == oci::media_type::k_docker_manifest ? Form::docker : Form::oci;
}

/// Whether the manifest itself may leave as it came.
bool is_verbatim(const Original& original, const store::ImageRecord& image, const ExportOptions& options) {
  const auto& manifest = original.manifest;
  auto annotations = image.annotations;
  for (const auto& [key, value] : options.annotations) {
    annotations.insert_or_assign(key, value);
  }
  const bool is_packed_so = std::ranges::all_of(manifest.layers, [&](const auto& layer) {
    const auto compression = oci::compression_of(layer.media_type);
    return !options.compression || (compression && *compression == *options.compression);
  });
  return is_packed_so && manifest.annotations == annotations && (!options.form || *options.form == form_of(manifest));
}

/// The type of a layer in the words of the form.
std::string layer_type(const oci::Descriptor& layer, Form form) {
  const auto compression = oci::compression_of(layer.media_type).value_or(oci::Compression::none);
  if (form == Form::oci) {
    return oci::layer_media_type(compression);
  }
  const std::string plain = "application/vnd.docker.image.rootfs.diff.tar";
  return compression == oci::Compression::none ? plain
                                               : plain + (compression == oci::Compression::gzip ? ".gzip" : ".zstd");
}

class Export {
public:
  Export(const store::ImageRecord& image, const ExportOptions& options, ImageTarget& target, store::Store& store,
         const std::stop_token& stop)
      : m_image(image), m_options(options), m_target(target), m_store(store), m_stop(stop) {}

  Result<Exported> run() {
    SHEAF_TRY_ASSIGN(const auto original, find_original(m_image, m_options, m_store));
    m_done.unchanged = original && is_verbatim(*original, m_image, m_options);
    m_form = m_options.form.value_or(original ? form_of(original->manifest) : Form::oci);
    if (!original) {
      SHEAF_TRY(m_store.trees_of(m_image));
    }
    SHEAF_TRY(put_layers(original));
    const auto config = original ? original->config_text : new_config();
    SHEAF_TRY(put_config(config));
    if (m_done.unchanged) {
      return put_manifest(original->manifest_text, original->manifest.media_type);
    }
    const auto manifest = new_manifest();
    return put_manifest(oci::serialise(manifest), manifest.media_type);
  }

private:
  std::size_t count(const std::optional<Original>& original) const {
    return original ? original->layers.size() : m_image.trees.size();
  }

  Result<void> put_layers(const std::optional<Original>& original) {
    constexpr unsigned k_most_at_a_time = 6;
    const auto threads = m_options.jobs > 0 ? m_options.jobs : std::max(1U, std::thread::hardware_concurrency());
    // Each layer that is packed holds some blocks of 4 MB for every thread: more threads than processors cost memory
    // only.
    const auto threads_each = std::clamp(std::thread::hardware_concurrency(), 1U, threads);
    m_wish = {m_options.compression, m_form, threads_each};
    m_layers.resize(count(original));
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < std::min<std::size_t>(m_layers.size(), std::min(threads, k_most_at_a_time)); ++i) {
        workers.emplace_back([&] { work(original); });
      }
    }
    return m_error ? Result<void>(std::move(*m_error)) : Result<void>();
  }

  void work(const std::optional<Original>& original) {
    const std::stop_callback on_stop(m_stop, [this] { m_broken.request_stop(); });
    for (;;) {
      const auto i = m_next.fetch_add(1);
      if (i >= m_layers.size() || m_broken.stop_requested()) {
        break;
      }
      if (auto put = put_layer(original, i); !put) {
        fail(std::move(put).error());
        return;
      }
    }
    if (m_stop.stop_requested()) {
      fail(Error(ErrorCode::cancelled, "stopped"));
    }
  }

  void fail(Error error) {
    const std::scoped_lock lock(m_mutex);
    if (!m_error) {
      m_error = std::move(error);
    }
    m_broken.request_stop();
  }

  Result<void> put_layer(const std::optional<Original>& original, std::size_t i) {
    const auto stop = m_broken.get_token();
    SHEAF_TRY_ASSIGN(const auto layer, m_done.unchanged
                                           ? kept_blob(original->layers[i].record, m_target, m_store, stop)
                                           : layer_blob(original ? original->layers[i].tree : m_image.trees[i], m_wish,
                                                        m_target, m_store, stop));
    const auto& blob = layer.record.blob;
    if (layer.file) {
      SHEAF_TRY(m_target.put_blob(blob, *layer.file, stop));
    }
    if (m_options.on_progress) {
      m_options.on_progress({blob.digest, blob.size, blob.size, !layer.file});
    }
    const std::scoped_lock lock(m_mutex);
    m_layers[i] = layer.record;
    m_done.made += layer.made ? 1U : 0U;
    m_done.reused += !layer.made && layer.file ? 1U : 0U;
    m_done.there += !layer.made && !layer.file ? 1U : 0U;
    m_done.bytes_written += layer.file ? blob.size : 0;
    return {};
  }

  std::string new_config() const {
    oci::RootFs root;
    root.created = m_options.created.value_or(m_image.created);
    std::ranges::transform(m_layers, std::back_inserter(root.diff_ids), &store::BlobRecord::diff_id);
    return oci::serialise(m_image.image, root);
  }

  Result<void> put_config(const std::string& text) {
    store::Blobs blobs(m_store);
    const auto type = m_form == Form::docker ? oci::media_type::k_docker_config : oci::media_type::k_config;
    SHEAF_TRY_ASSIGN(m_done.config, blobs.put(text, type));
    SHEAF_TRY_ASSIGN(const bool is_there, m_target.has(m_done.config, m_stop));
    if (is_there) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto file, blobs.open(m_done.config));
    if (!file) {
      return Error(ErrorCode::internal, "the configuration was lost while it was written");
    }
    m_done.bytes_written += m_done.config.size;
    return m_target.put_blob(m_done.config, *file, m_stop);
  }

  oci::Manifest new_manifest() const {
    oci::Manifest manifest;
    manifest.media_type = m_form == Form::docker ? oci::media_type::k_docker_manifest : oci::media_type::k_manifest;
    manifest.config = m_done.config;
    for (const auto& layer : m_layers) {
      auto& added = manifest.layers.emplace_back(layer.blob);
      added.media_type = layer_type(layer.blob, m_form);
      added.annotations.clear();
    }
    manifest.annotations = m_image.annotations;
    for (const auto& [key, value] : m_options.annotations) {
      manifest.annotations.insert_or_assign(key, value);
    }
    return manifest;
  }

  Result<Exported> put_manifest(const std::string& text, const std::string& media_type) {
    const auto& image = m_image.image;
    m_done.manifest.media_type = media_type;
    m_done.manifest.digest = Digest::of(text);
    m_done.manifest.size = text.size();
    m_done.manifest.platform = oci::Platform{image.os, image.architecture, image.variant, {}};
    std::ranges::transform(m_layers, std::back_inserter(m_done.layers), &store::BlobRecord::blob);
    SHEAF_TRY(m_target.put_manifest(m_done.manifest, text, m_options.place, m_stop));
    m_done.bytes_written += text.size();
    return std::move(m_done);
  }

  const store::ImageRecord& m_image;
  const ExportOptions& m_options;
  ImageTarget& m_target;
  store::Store& m_store;
  const std::stop_token& m_stop;
  Form m_form = Form::oci;
  LayerWish m_wish;
  std::atomic<std::size_t> m_next = 0;
  std::stop_source m_broken;
  std::mutex m_mutex; ///< guards what follows while there are workers
  std::vector<store::BlobRecord> m_layers;
  Exported m_done;
  std::optional<Error> m_error;
};

} // namespace

Result<Exported> export_image(const store::ImageRecord& image, const ExportOptions& options, ImageTarget& target,
                              store::Store& store, std::stop_token stop) {
  return Export(image, options, target, store, stop).run().context(fmt::format("writing {}", target.name()));
}

Result<ExportedSet> export_images(const std::vector<store::ImageRecord>& images, ExportOptions options,
                                  ImageTarget& target, store::Store& store, std::stop_token stop) {
  ExportedSet set;
  if (images.size() > 1) {
    options.place = ImageTarget::Place::by_digest;
  }
  oci::Index index;
  index.media_type = oci::media_type::k_index;
  for (const auto& image : images) {
    SHEAF_TRY_ASSIGN(auto exported, export_image(image, options, target, store, stop));
    index.manifests.push_back(exported.manifest);
    set.images.push_back(std::move(exported));
  }
  if (images.size() == 1) {
    set.top = set.images.front().manifest;
    return set;
  }
  const auto text = oci::serialise(index);
  set.top = {index.media_type, Digest::of(text), text.size(), {}, {}, {}};
  SHEAF_TRY(target.put_manifest(set.top, text, ImageTarget::Place::named, std::move(stop))
                .context(fmt::format("writing {}", target.name())));
  return set;
}

} // namespace sheaf::image
