// SPDX-License-Identifier: Apache-2.0
#include "image/docker_archive_source.hpp"

#include "archive/packing.hpp"
#include "image/layout_source.hpp"
#include "os/fd.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>

namespace sheaf::image {
namespace {

using Json = nlohmann::json;

/// What a file is as a blob. The type of a layer is seen from its first bytes: some tools pack them.
Result<oci::Descriptor> describe(const os::Fd& directory, const std::string& path, bool is_config) {
  const auto doing = fmt::format("reading '{}'", path);
  SHEAF_TRY_ASSIGN(const auto file, open_file_of(directory, path).context(doing));
  oci::Descriptor blob;
  Sha256 hash;
  std::string buffer(std::size_t{1} << 18U, '\0');
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error::from_errno(errno, doing);
    }
    if (got == 0) {
      break;
    }
    const auto bytes = std::string_view(buffer).substr(0, static_cast<std::size_t>(got));
    if (blob.size == 0) {
      const auto packing = archive::packing_of(bytes);
      blob.media_type = oci::layer_media_type(packing == archive::Packing::gzip   ? oci::Compression::gzip
                                              : packing == archive::Packing::zstd ? oci::Compression::zstd
                                                                                  : oci::Compression::none);
    }
    blob.size += bytes.size();
    hash.update(bytes);
  }
  blob.digest = hash.finish();
  if (is_config) {
    blob.media_type = oci::media_type::k_config;
  }
  return blob;
}

class DockerArchiveSource final : public ImageSource {
public:
  explicit DockerArchiveSource(std::string name) : m_name(std::move(name)) {}

  Result<void> load(const std::string& directory, const DockerArchiveEntry& entry) {
    SHEAF_TRY_ASSIGN(m_directory, os::open(directory, O_RDONLY | O_DIRECTORY));
    oci::Manifest manifest;
    SHEAF_TRY_ASSIGN(manifest.config, add(entry.config, true));
    for (const auto& path : entry.layers) {
      SHEAF_TRY_ASSIGN(auto layer, add(path, false));
      manifest.layers.push_back(std::move(layer));
    }
    manifest.annotations.emplace(k_made_up, "1");
    manifest.media_type = oci::media_type::k_manifest;
    m_top.text = oci::serialise(manifest);
    m_top.media_type = manifest.media_type;
    m_top.digest = Digest::of(m_top.text);
    return {};
  }

  std::string name() const override { return m_name; }
  Result<ManifestText> top(std::stop_token /*stop*/) override { return m_top; }
  Result<ManifestText> manifest(const oci::Descriptor& wanted, std::stop_token /*stop*/) override {
    return Error(ErrorCode::not_found, fmt::format("a docker archive has no manifest {}", wanted.digest.to_string()));
  }
  Result<void> blob(const oci::Descriptor& wanted, const Sink& sink, std::stop_token stop) override {
    const auto found = m_paths.find(wanted.digest);
    if (found == m_paths.end()) {
      return Error(ErrorCode::not_found, fmt::format("there is no blob {}", wanted.digest.to_string()));
    }
    return read_blob(m_directory, found->second, wanted, sink, stop);
  }

private:
  Result<oci::Descriptor> add(const std::string& path, bool is_config) {
    SHEAF_TRY_ASSIGN(auto blob, describe(m_directory, path, is_config));
    m_paths.emplace(blob.digest, path);
    return blob;
  }

  std::string m_name;
  os::Fd m_directory;
  ManifestText m_top;
  std::map<Digest, std::string> m_paths;
};

} // namespace

Result<std::vector<DockerArchiveEntry>> parse_docker_archive(std::string_view json) {
  const auto document = Json::parse(json, nullptr, false);
  if (!document.is_array()) {
    return Error(ErrorCode::corrupt, "'manifest.json' is no JSON list");
  }
  try {
    std::vector<DockerArchiveEntry> entries;
    for (const auto& one : document) {
      auto& entry = entries.emplace_back();
      entry.config = one.at("Config").get<std::string>();
      for (const auto& [key, list] : {std::pair("RepoTags", &entry.names), std::pair("Layers", &entry.layers)}) {
        if (one.contains(key) && !one[key].is_null()) {
          *list = one[key].get<std::vector<std::string>>();
        }
      }
    }
    return entries;
  } catch (const Json::exception& error) {
    return Error(ErrorCode::corrupt, fmt::format("'manifest.json' is not that of a docker archive: {}", error.what()));
  }
}

Result<std::unique_ptr<ImageSource>> docker_archive_source(std::string name, const std::string& directory,
                                                           const DockerArchiveEntry& entry) {
  auto source = std::make_unique<DockerArchiveSource>(std::move(name));
  SHEAF_TRY(source->load(directory, entry));
  return std::unique_ptr<ImageSource>(std::move(source));
}

} // namespace sheaf::image
