// SPDX-License-Identifier: Apache-2.0
#include "image/import.hpp"

#include "image/layer_intake.hpp"
#include "oci/root_fs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace sheaf::image {
namespace {

constexpr std::size_t k_largest_config = std::size_t{8} << 20U;
constexpr std::size_t k_most_layers = 500; // overlayfs takes no more
constexpr int k_deepest = 4;               // indexes in indexes

Result<std::string> read_config(ImageSource& source, const oci::Descriptor& config, const std::stop_token& stop) {
  if (config.media_type != oci::media_type::k_config && config.media_type != oci::media_type::k_docker_config) {
    return Error(ErrorCode::unsupported, fmt::format("its configuration is of type '{}'", config.media_type))
        .with_hint("it is an artifact (chart, signature, model), not an image that can be run");
  }
  if (config.size > k_largest_config) {
    return Error(ErrorCode::corrupt, fmt::format("its configuration has {} bytes", config.size));
  }
  std::string text;
  SHEAF_TRY(source.blob(
      config,
      [&](std::string_view bytes) -> Result<void> {
        text += bytes;
        return text.size() <= config.size ? Result<void>() : Error(ErrorCode::corrupt, "more bytes than were said");
      },
      stop));
  if (text.size() != config.size || Digest::of(text) != config.digest) {
    return Error(ErrorCode::corrupt, "its configuration has another digest");
  }
  return text;
}

Result<void> check(const ManifestText& text) {
  return Digest::of(text.text) == text.digest ? Result<void>()
                                              : Error(ErrorCode::corrupt, "its manifest has another digest");
}

class Import {
public:
  Import(ImageSource& source, const ImportOptions& options, store::Store& store, const std::stop_token& stop)
      : m_source(source), m_options(options), m_store(store), m_stop(stop) {}

  Result<store::ImageRecord> run() {
    SHEAF_TRY_ASSIGN(const auto text, find_manifest());
    SHEAF_TRY_ASSIGN(const auto config, read_config(m_source, m_manifest.config, m_stop));
    store::ImageRecord record;
    SHEAF_TRY_ASSIGN(record.image, oci::parse_image(config));
    SHEAF_TRY_ASSIGN(const auto root, oci::parse_root_fs(config));
    SHEAF_TRY(check_config(record.image, root));
    record.created = root.created;
    SHEAF_TRY_ASSIGN(const auto layers, take_in(root.diff_ids));
    record.trees = mounted(layers);
    store::Blobs blobs(m_store);
    SHEAF_TRY_ASSIGN(const auto kept, blobs.put(config, m_manifest.config.media_type));
    record.config = kept.digest;
    SHEAF_TRY_ASSIGN(const auto manifest, blobs.put(text.text, m_manifest.media_type));
    record.manifest = manifest.digest;
    record.annotations = m_manifest.annotations;
    record.annotations.erase(std::string(k_made_up));
    return record;
  }

private:
  oci::Platform wanted() const { return m_options.platform.value_or(native_platform()); }

  /// Down from an index to the manifest of the platform.
  Result<ManifestText> find_manifest() {
    SHEAF_TRY_ASSIGN(auto text, m_source.top(m_stop));
    for (int depth = 0; depth < k_deepest; ++depth) {
      SHEAF_TRY(check(text));
      SHEAF_TRY_ASSIGN(auto parsed, oci::parse_manifest(text.text, text.media_type));
      if (auto* manifest = std::get_if<oci::Manifest>(&parsed)) {
        m_manifest = std::move(*manifest);
        return text;
      }
      SHEAF_TRY_ASSIGN(const auto chosen, oci::choose(std::get<oci::Index>(parsed), wanted()));
      SHEAF_TRY_ASSIGN(text, m_source.manifest(chosen, m_stop));
      if (text.digest != chosen.digest || text.text.size() != chosen.size) {
        return Error(ErrorCode::corrupt, "its manifest has another digest or size than its index says");
      }
    }
    return Error(ErrorCode::corrupt, "its indexes lead to other indexes and to no manifest");
  }

  Result<void> check_config(const oci::Image& image, const oci::RootFs& root) const {
    if (root.diff_ids.size() != m_manifest.layers.size()) {
      return Error(ErrorCode::corrupt, fmt::format("its configuration names {} layers, its manifest {}",
                                                   root.diff_ids.size(), m_manifest.layers.size()));
    }
    if (m_manifest.layers.size() > k_most_layers) {
      return Error(ErrorCode::unsupported,
                   fmt::format("it has {} layers; {} can be mounted", m_manifest.layers.size(), k_most_layers));
    }
    if (image.os != "linux") {
      return Error(ErrorCode::unsupported, fmt::format("it is an image for '{}'; sheaf runs Linux images", image.os));
    }
    oci::Index one;
    one.manifests.emplace_back().platform = oci::Platform{image.os, image.architecture, image.variant, {}};
    return m_options.platform && !oci::choose(one, *m_options.platform)
               ? Error(ErrorCode::not_found,
                       fmt::format("it is for {}, not for {}", one.manifests.front().platform->to_string(),
                                   m_options.platform->to_string()))
               : Result<void>();
  }

  /// All types are known before the first byte is fetched.
  Result<std::vector<TakenLayer>> take_in(const std::vector<Digest>& diff_ids) {
    for (const auto& layer : m_manifest.layers) {
      SHEAF_TRY(oci::compression_of(layer.media_type));
    }
    m_taken.resize(m_manifest.layers.size());
    const auto usual = std::clamp(std::thread::hardware_concurrency(), 3U, 8U);
    const auto jobs = std::min<std::size_t>(m_options.jobs > 0 ? m_options.jobs : usual, m_taken.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < jobs; ++i) {
        threads.emplace_back([&] { work(diff_ids); });
      }
    }
    if (m_error) {
      return std::move(*m_error);
    }
    return std::move(m_taken);
  }

  void work(const std::vector<Digest>& diff_ids) {
    // The caller's stop and the failure of another layer end this one.
    const std::stop_callback on_stop(m_stop, [this] { m_broken.request_stop(); });
    for (;;) {
      const auto i = m_next.fetch_add(1);
      if (i >= m_taken.size() || m_broken.stop_requested()) {
        break;
      }
      auto taken = take_in_layer(m_source, m_manifest.layers[i], diff_ids[i], m_options, m_store, m_broken.get_token());
      if (!taken) {
        fail(std::move(taken).error());
        return;
      }
      m_taken[i] = std::move(*taken);
    }
    if (m_stop.stop_requested()) {
      fail(Error(ErrorCode::cancelled, "stopped"));
    }
  }

  /// The first error is the one to tell.
  void fail(Error error) {
    const std::scoped_lock lock(m_mutex);
    if (!m_error) {
      m_error = std::move(error);
    }
    m_broken.request_stop();
  }

  ImageSource& m_source;
  const ImportOptions& m_options;
  store::Store& m_store;
  const std::stop_token& m_stop;
  oci::Manifest m_manifest;
  std::vector<TakenLayer> m_taken;
  std::atomic<std::size_t> m_next = 0;
  std::stop_source m_broken;
  std::mutex m_mutex; ///< guards m_error
  std::optional<Error> m_error;
};

} // namespace

Result<store::ImageRecord> import_image(ImageSource& source, const ImportOptions& options, store::Store& store,
                                        std::stop_token stop) {
  return Import(source, options, store, stop).run().context(fmt::format("reading {}", source.name()));
}

Result<bool> has_its_blobs(const store::ImageRecord& image, store::Store& store) {
  if (!image.manifest) {
    return true;
  }
  const store::Blobs blobs(store);
  SHEAF_TRY_ASSIGN(const auto text, blobs.read(*image.manifest));
  const auto parsed = oci::parse_manifest(text.value_or(""));
  const auto* manifest = parsed ? std::get_if<oci::Manifest>(&*parsed) : nullptr;
  const auto is_there = [&blobs](const oci::Descriptor& blob) { return blobs.has(blob); };
  return manifest != nullptr && is_there(manifest->config) && std::ranges::all_of(manifest->layers, is_there);
}

oci::Platform native_platform() {
#if defined(__x86_64__)
  return {"linux", "amd64", "", ""};
#elif defined(__aarch64__)
  return {"linux", "arm64", "", ""};
#elif defined(__arm__)
  return {"linux", "arm", "v7", ""};
#elif defined(__riscv)
  return {"linux", "riscv64", "", ""};
#elif defined(__powerpc64__)
  return {"linux", "ppc64le", "", ""};
#elif defined(__s390x__)
  return {"linux", "s390x", "", ""};
#else
  return {"linux", "unknown", "", ""};
#endif
}

} // namespace sheaf::image
