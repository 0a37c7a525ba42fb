// SPDX-License-Identifier: Apache-2.0
// Image files in one tar: OCI layouts and docker archives. Blobs come from several threads in any order, so they are
// only remembered (they stay open), and all is written at the end, sorted: equal images give equal files.
#include "archive/tar_writer.hpp"
#include "image/layout_index.hpp"
#include "image/layout_target.hpp"
#include "os/file.hpp"
#include "os/output_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>

namespace sheaf::image {
namespace {

using Json = nlohmann::json;
using archive::Entry;
using archive::EntryType;
using archive::TarWriter;

Result<void> add_text(TarWriter& tar, const std::string& path, std::string_view text) {
  SHEAF_TRY_ASSIGN(const auto file, os::memory_file(text));
  Entry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.size = text.size();
  return tar.add(entry, &file);
}

Result<void> add_folder(TarWriter& tar, const std::string& path) {
  Entry entry;
  entry.path = path;
  entry.type = EntryType::directory;
  entry.mode = 0755;
  return tar.add(entry, nullptr);
}

class TarTarget : public ImageTarget {
public:
  TarTarget(std::string path, std::vector<std::string> names) : m_path(std::move(path)), m_names(std::move(names)) {}

  /// Before hours of packing: can it be written at all?
  Result<void> prepare() {
    if (m_path != "-") {
      SHEAF_TRY_ASSIGN(auto output, os::OutputFile::create(m_path).context("writing " + name()));
      m_output.emplace(std::move(output));
    }
    return {};
  }

  Result<bool> has(const oci::Descriptor& blob, std::stop_token /*stop*/) override {
    const std::scoped_lock lock(m_mutex);
    return m_blobs.contains(blob.digest);
  }

  Result<void> put_blob(const oci::Descriptor& blob, const os::Fd& file, std::stop_token /*stop*/) override {
    SHEAF_TRY_ASSIGN(auto kept, os::duplicate(file));
    const std::scoped_lock lock(m_mutex);
    m_blobs.insert_or_assign(blob.digest, Blob{std::move(kept), blob.size});
    return {};
  }

  Result<void> put_manifest(const oci::Descriptor& manifest, std::string_view text, Place place,
                            std::stop_token /*stop*/) override {
    const std::scoped_lock lock(m_mutex);
    m_texts.insert_or_assign(manifest.digest, std::string(text));
    if (place == Place::named) {
      m_named.push_back(manifest);
    }
    return {};
  }

  Result<void> finish() override {
    const auto doing = "writing " + name();
    if (m_path == "-") {
      return write_to(os::Fd(dup(STDOUT_FILENO))).context(doing);
    }
    SHEAF_TRY(write_to(m_output->fd()).context(doing));
    return m_output->commit().context(doing);
  }

protected:
  struct Blob {
    os::Fd file;
    std::uint64_t size = 0;
  };
  virtual Result<void> write_all(TarWriter& tar) = 0;

  static Result<void> add_blob(TarWriter& tar, const std::string& path, const Blob& blob) {
    if (lseek(blob.file.get(), 0, SEEK_SET) != 0) {
      return Error::from_errno(errno, "reading a blob");
    }
    Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = blob.size;
    return tar.add(entry, &blob.file);
  }

  const std::string& path() const { return m_path; }
  const std::vector<std::string>& names() const { return m_names; }
  const std::map<Digest, Blob>& blobs() const { return m_blobs; }
  const std::map<Digest, std::string>& texts() const { return m_texts; }
  const std::vector<oci::Descriptor>& named() const { return m_named; }

private:
  Result<void> write_to(const os::Fd& to) {
    TarWriter tar(to);
    SHEAF_TRY(write_all(tar));
    return tar.finish();
  }

  std::string m_path;
  std::vector<std::string> m_names;
  std::optional<os::OutputFile> m_output;
  std::mutex m_mutex; ///< guards what follows until finish()
  std::map<Digest, Blob> m_blobs;
  std::map<Digest, std::string> m_texts;
  std::vector<oci::Descriptor> m_named;
};

class LayoutTar final : public TarTarget {
public:
  using TarTarget::TarTarget;
  std::string name() const override { return fmt::format("the OCI layout '{}'", path()); }

private:
  Result<void> write_all(TarWriter& tar) override {
    oci::Index index;
    for (const auto& manifest : named()) {
      add_named(index, manifest, names());
    }
    SHEAF_TRY(add_text(tar, "oci-layout", k_layout_file));
    SHEAF_TRY(add_text(tar, "index.json", oci::serialise(index)));
    SHEAF_TRY(add_folder(tar, "blobs"));
    SHEAF_TRY(add_folder(tar, "blobs/sha256"));
    for (const auto& [digest, text] : texts()) {
      SHEAF_TRY(add_text(tar, "blobs/sha256/" + digest.hex(), text));
    }
    for (const auto& [digest, blob] : blobs()) {
      SHEAF_TRY(add_blob(tar, "blobs/sha256/" + digest.hex(), blob));
    }
    return {};
  }
};

class DockerArchive final : public TarTarget {
public:
  using TarTarget::TarTarget;
  std::string name() const override { return fmt::format("the docker archive '{}'", path()); }

private:
  /// One entry of manifest.json, and the names of its files.
  Result<Json> describe(const oci::Descriptor& named, std::map<std::string, const Blob*>& files) const {
    SHEAF_TRY_ASSIGN(const auto parsed, oci::parse_manifest(texts().at(named.digest)));
    const auto* const manifest = std::get_if<oci::Manifest>(&parsed);
    if (manifest == nullptr) {
      return Error(ErrorCode::unsupported, "a docker archive holds images for one platform")
          .with_hint("choose one with --platform, or write an OCI layout");
    }
    auto layers = Json::array();
    for (const auto& layer : manifest->layers) {
      SHEAF_TRY_ASSIGN(const auto compression, oci::compression_of(layer.media_type));
      if (compression != oci::Compression::none) {
        return Error(ErrorCode::invalid, "the layers of a docker archive are not packed");
      }
      layers.push_back(layer.digest.hex() + ".tar");
      SHEAF_TRY(add_file(layer.digest, layers.back(), files));
    }
    const auto config = manifest->config.digest.hex() + ".json";
    SHEAF_TRY(add_file(manifest->config.digest, config, files));
    return Json{{"Config", config}, {"RepoTags", names()}, {"Layers", std::move(layers)}};
  }

  Result<void> add_file(const Digest& digest, const std::string& name,
                        std::map<std::string, const Blob*>& files) const {
    const auto found = blobs().find(digest);
    if (found == blobs().end()) {
      return Error(ErrorCode::internal, fmt::format("blob {} was not given", digest.to_string()));
    }
    files[name] = &found->second;
    return {};
  }

  Result<void> write_all(TarWriter& tar) override {
    std::map<std::string, const Blob*> files;
    auto images = Json::array();
    for (const auto& one : named()) {
      SHEAF_TRY_ASSIGN(auto image, describe(one, files));
      images.push_back(std::move(image));
    }
    // First, so that readers know what they look for.
    SHEAF_TRY(add_text(tar, "manifest.json", images.dump()));
    for (const auto& [name, blob] : files) {
      SHEAF_TRY(add_blob(tar, name, *blob));
    }
    return {};
  }
};

} // namespace

Result<std::unique_ptr<ImageTarget>> open_layout_tar(const std::string& path, std::vector<std::string> names) {
  auto target = std::make_unique<LayoutTar>(path, std::move(names));
  SHEAF_TRY(target->prepare());
  return std::unique_ptr<ImageTarget>(std::move(target));
}

Result<std::unique_ptr<ImageTarget>> open_docker_archive(const std::string& path, std::vector<std::string> names) {
  auto target = std::make_unique<DockerArchive>(path, std::move(names));
  SHEAF_TRY(target->prepare());
  return std::unique_ptr<ImageTarget>(std::move(target));
}

} // namespace sheaf::image
