// SPDX-License-Identifier: Apache-2.0
#include "app/import_layout.hpp"

#include "archive/reader.hpp"
#include "archive/unpack.hpp"
#include "os/file.hpp"
#include "plan/image_plan.hpp"
#include "store/tree_digest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <set>

namespace sheaf::app {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t k_largest_json = std::uint64_t{16} << 20U;

/// Source: image-spec, descriptor.md.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::string name;     ///< annotation org.opencontainers.image.ref.name
  std::string platform; ///< "os/architecture"; empty if not said
};

Result<Descriptor> descriptor_from(const Json& json) {
  if (!json.is_object() || !json.contains("digest") || !json["digest"].is_string()) {
    return Error(ErrorCode::corrupt, "a descriptor has no digest");
  }
  Descriptor descriptor;
  descriptor.media_type = json.value("mediaType", "");
  SHEAF_TRY_ASSIGN(descriptor.digest, Digest::parse(json["digest"].get<std::string>()));
  descriptor.size = json.value("size", std::uint64_t{0});
  if (json.contains("annotations")) {
    descriptor.name = json["annotations"].value("org.opencontainers.image.ref.name", "");
  }
  if (json.contains("platform")) {
    descriptor.platform = json["platform"].value("os", "") + "/" + json["platform"].value("architecture", "");
  }
  return descriptor;
}

class Layout {
public:
  Layout(std::string path, store::Store& store, std::stop_token stop)
      : m_path(std::move(path)), m_store(store), m_stop(std::move(stop)) {}

  Result<store::ImageRecord> import(const std::string& wanted) {
    SHEAF_TRY_ASSIGN(const auto text, os::read_file(m_path + "/index.json"));
    SHEAF_TRY_ASSIGN(const auto index, parse(text, "index.json"));
    SHEAF_TRY_ASSIGN(auto chosen, choose(index, wanted));
    SHEAF_TRY_ASSIGN(auto manifest, read_json(chosen));
    // An index in the index: one entry per platform.
    for (int depth = 0; manifest.contains("manifests") && depth < 4; ++depth) {
      SHEAF_TRY_ASSIGN(chosen, choose(manifest, ""));
      SHEAF_TRY_ASSIGN(manifest, read_json(chosen));
    }
    return import_manifest(manifest);
  }

private:
  static Result<Json> parse(const std::string& text, const std::string& what) {
    auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
      return Error(ErrorCode::corrupt, fmt::format("'{}' is no JSON object", what));
    }
    return json;
  }

  std::string blob_path(const Digest& digest) const { return fmt::format("{}/blobs/sha256/{}", m_path, digest.hex()); }

  static Result<Descriptor> choose(const Json& index, const std::string& wanted) {
    const auto native = plan::native_platform();
    std::vector<Descriptor> found;
    for (const auto& entry : index.value("manifests", Json::array())) {
      SHEAF_TRY_ASSIGN(auto descriptor, descriptor_from(entry));
      const bool fits = descriptor.platform.empty() || descriptor.platform == native.os + "/" + native.architecture;
      const bool named = wanted.empty() || descriptor.name == wanted || descriptor.digest.to_string() == wanted;
      if (named && (fits || !wanted.empty())) {
        found.push_back(std::move(descriptor));
      }
    }
    if (found.size() == 1) {
      return found.front();
    }
    if (found.empty()) {
      return Error(ErrorCode::not_found, wanted.empty() ? fmt::format("there is no image for {}", native.to_string())
                                                        : fmt::format("there is no image '{}'", wanted));
    }
    return Error(ErrorCode::invalid, "there are several images").with_hint("name one: oci-layout://PATH:TAG");
  }

  /// Checks size and digest; the descriptor is at the start again.
  Result<os::Fd> open_blob(const Descriptor& descriptor) const {
    const auto doing = fmt::format("reading blob {}", descriptor.digest.to_string());
    SHEAF_TRY_ASSIGN(auto file, os::open(blob_path(descriptor.digest), O_RDONLY).context(doing));
    Sha256 hash;
    std::uint64_t size = 0;
    std::array<char, 65536> buffer{};
    for (;;) {
      const auto got = ::read(file.get(), buffer.data(), buffer.size());
      if (got < 0) {
        return Error::from_errno(errno, doing);
      }
      if (got == 0) {
        break;
      }
      size += static_cast<std::uint64_t>(got);
      hash.update({buffer.data(), static_cast<std::size_t>(got)});
    }
    if (hash.finish() != descriptor.digest || (descriptor.size != 0 && size != descriptor.size)) {
      return Error(ErrorCode::corrupt, "its content has another digest or size").with_context(std::string(doing));
    }
    if (lseek(file.get(), 0, SEEK_SET) != 0) {
      return Error::from_errno(errno, doing);
    }
    return file;
  }

  Result<Json> read_json(const Descriptor& descriptor) const {
    if (descriptor.size > k_largest_json) {
      return Error(ErrorCode::corrupt, fmt::format("blob {} is too large", descriptor.digest.to_string()));
    }
    SHEAF_TRY_ASSIGN(const auto file, open_blob(descriptor));
    SHEAF_TRY_ASSIGN(const auto text, os::read_all(file));
    return parse(text, descriptor.digest.to_string());
  }

  Result<store::ImageRecord> import_manifest(const Json& manifest) {
    if (!manifest.contains("config") || !manifest.contains("layers") || !manifest["layers"].is_array()) {
      return Error(ErrorCode::corrupt, "the manifest has no config or no layers");
    }
    store::ImageRecord record;
    SHEAF_TRY_ASSIGN(const auto config, descriptor_from(manifest["config"]));
    SHEAF_TRY_ASSIGN(const auto file, open_blob(config));
    SHEAF_TRY_ASSIGN(const auto text, os::read_all(file));
    SHEAF_TRY_ASSIGN(record.image, oci::parse_image(text).context("reading the image's configuration"));
    for (const auto& entry : manifest["layers"]) {
      SHEAF_TRY_ASSIGN(const auto layer, descriptor_from(entry));
      SHEAF_TRY_ASSIGN(auto tree, import_layer(layer));
      record.trees.push_back(std::move(tree));
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
    }
    return record;
  }

  /// The content digest of a tree that was unpacked stands in a file beside it.
  Result<store::TreeRef> import_layer(const Descriptor& layer) {
    const auto doing = fmt::format("unpacking layer {}", layer.digest.to_string());
    const auto folder = "unpacked/" + layer.digest.hex();
    if (const auto place = m_store.find_unpacked(layer.digest)) {
      SHEAF_TRY_ASSIGN(const auto text, os::read_file(*place + "/content").context(doing));
      SHEAF_TRY_ASSIGN(const auto content, Digest::parse(text).context(doing));
      return store::TreeRef{folder, content};
    }
    SHEAF_TRY_ASSIGN(auto staging, m_store.stage().context(doing));
    const auto directory = staging.file("layer");
    SHEAF_TRY(os::make_directories(directory + "/tree").context(doing));
    SHEAF_TRY_ASSIGN(auto file, open_blob(layer).context(doing));
    SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open(std::move(file)).context(doing));
    SHEAF_TRY_ASSIGN(const auto root, os::open(directory + "/tree", O_RDONLY | O_DIRECTORY).context(doing));
    archive::UnpackOptions options;
    options.whiteouts = archive::Whiteouts::overlay;
    SHEAF_TRY(archive::unpack(reader, root, "/", options).context(doing));
    SHEAF_TRY_ASSIGN(const auto digest, store::digest_tree(directory + "/tree").context(doing));
    SHEAF_TRY(os::write_file(directory + "/content", digest.content.to_string()).context(doing));
    SHEAF_TRY(m_store.commit_unpacked(directory, layer.digest));
    return store::TreeRef{folder, digest.content};
  }

  std::string m_path;
  store::Store& m_store;
  std::stop_token m_stop;
};

} // namespace

Result<store::ImageRecord> import_layout(const std::string& place, store::Store& store, std::stop_token stop) {
  auto path = place;
  std::string wanted;
  if (!os::is_directory(path)) {
    const auto mark = place.find('@') != std::string::npos ? place.find('@') : place.rfind(':');
    if (mark != std::string::npos) {
      path = place.substr(0, mark);
      wanted = place.substr(mark + 1);
    }
  }
  return Layout(path, store, std::move(stop)).import(wanted).context(fmt::format("reading the OCI layout '{}'", path));
}

} // namespace sheaf::app
