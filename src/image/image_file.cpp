// SPDX-License-Identifier: Apache-2.0
#include "image/image_file.hpp"

#include "archive/unpack.hpp"
#include "image/docker_archive_source.hpp"
#include "image/layout_index.hpp"
#include "image/layout_source.hpp"
#include "os/file.hpp"
#include "os/namespaces.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace sheaf::image {
namespace {

Error no_image(const std::string& path) {
  return Error(ErrorCode::invalid, fmt::format("'{}' holds no image", path))
      .with_hint("an OCI layout has 'index.json', a docker archive 'manifest.json'; a root file system is used with "
                 "'FROM scratch' and 'ADD FILE.tar /'");
}

/// Unpacked for an ordinary user, too: everything belongs to whoever runs this.
Result<void> unpack_to(const std::string& path, const std::string& directory) {
  SHEAF_TRY(os::make_directories(directory));
  SHEAF_TRY_ASSIGN(auto file, os::open(path, O_RDONLY));
  SHEAF_TRY_ASSIGN(auto reader, archive::Reader::open(std::move(file)));
  SHEAF_TRY_ASSIGN(const auto root, os::open(directory, O_RDONLY | O_DIRECTORY));
  archive::UnpackOptions options;
  options.owner = {os::effective_uid(), os::effective_gid()};
  options.devices = archive::Devices::left_out;
  SHEAF_TRY(archive::unpack(reader, root, "/", options));
  return {};
}

std::string first_name(const ImageFile::Entry& entry) {
  return entry.names.empty() ? entry.digest.to_string() : entry.names.front();
}

Result<oci::Index> read_index(const std::string& directory) {
  SHEAF_TRY_ASSIGN(const auto text, read_text(directory, "index.json"));
  SHEAF_TRY_ASSIGN(auto parsed, oci::parse_manifest(text, oci::media_type::k_index));
  auto* const index = std::get_if<oci::Index>(&parsed);
  if (index == nullptr) {
    return Error(ErrorCode::corrupt, "'index.json' is a manifest, not an index");
  }
  return std::move(*index);
}

ManifestText text_of(const oci::Index& index) {
  ManifestText text;
  text.text = oci::serialise(index);
  text.media_type = oci::media_type::k_index;
  text.digest = Digest::of(text.text);
  return text;
}

} // namespace

Result<ImageFile> ImageFile::open(const std::string& path, store::Store& store) {
  const auto doing = fmt::format("reading the image file '{}'", path);
  std::unique_ptr<store::Staging> staging;
  auto directory = path;
  if (!os::is_directory(path)) {
    SHEAF_TRY_ASSIGN(auto fresh, store.stage().context(doing));
    staging = std::make_unique<store::Staging>(std::move(fresh));
    directory = staging->file("image");
    SHEAF_TRY(unpack_to(path, directory).context(doing));
  }
  const bool is_layout = os::exists(directory + "/index.json");
  if (!is_layout && !os::exists(directory + "/manifest.json")) {
    return no_image(path);
  }
  ImageFile file(path, directory, is_layout ? Kind::layout : Kind::docker);
  file.m_staging = std::move(staging);
  SHEAF_TRY(file.read_entries().context(doing));
  return file;
}

Result<void> ImageFile::read_entries() {
  if (m_kind == Kind::docker) {
    SHEAF_TRY_ASSIGN(const auto text, read_text(m_directory, "manifest.json"));
    SHEAF_TRY_ASSIGN(const auto images, parse_docker_archive(text));
    for (const auto& image : images) {
      m_entries.push_back({image.names, Digest::of(image.config)});
    }
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto index, read_index(m_directory));
  for (const auto& manifest : index.manifests) {
    const Entry entry{names_of(manifest), manifest.digest};
    const auto same = std::ranges::find(m_entries, entry.names, &Entry::names);
    if (same == m_entries.end() || manifest.platform == std::nullopt) {
      m_entries.push_back(entry);
    }
  }
  return {};
}

Result<std::unique_ptr<ImageSource>> ImageFile::source(const std::string& name) const {
  std::vector<const Entry*> fitting;
  std::vector<std::string> all;
  for (const auto& entry : m_entries) {
    const bool is_called_so =
        std::ranges::any_of(entry.names, [&](const auto& one) { return one == name || tag_of(one) == name; });
    if (name.empty() || is_called_so || entry.digest.to_string() == name) {
      fitting.push_back(&entry);
    }
    all.push_back(first_name(entry));
  }
  if (fitting.size() == 1) {
    return source(*fitting.front());
  }
  const auto list = fmt::format("there are: {}", fmt::join(all, ", "));
  if (fitting.empty()) {
    return name.empty() ? Error(ErrorCode::not_found, fmt::format("there is no image in '{}'", m_path))
                        : Error(ErrorCode::not_found, fmt::format("there is no image '{}' in '{}'", name, m_path))
                              .with_hint(list);
  }
  return Error(ErrorCode::invalid, fmt::format("there are several images in '{}'", m_path))
      .with_hint(fmt::format("name one: {}:TAG; {}", m_path, list));
}

Result<std::unique_ptr<ImageSource>> ImageFile::source(const Entry& entry) const {
  if (m_kind == Kind::docker) {
    SHEAF_TRY_ASSIGN(const auto text, read_text(m_directory, "manifest.json"));
    SHEAF_TRY_ASSIGN(const auto images, parse_docker_archive(text));
    const auto found = std::ranges::find_if(images, [&](const auto& image) {
      return image.names == entry.names && Digest::of(image.config) == entry.digest;
    });
    if (found == images.end()) {
      return Error(ErrorCode::not_found, fmt::format("'{}' has changed", m_path));
    }
    return docker_archive_source(fmt::format("the docker archive '{}'", m_path), m_directory, *found);
  }
  SHEAF_TRY_ASSIGN(const auto all, read_index(m_directory));
  oci::Index index;
  index.media_type = oci::media_type::k_index;
  for (const auto& manifest : all.manifests) {
    const bool is_same = manifest.digest == entry.digest;
    if (is_same || (manifest.platform && names_of(manifest) == entry.names)) {
      index.manifests.push_back(manifest);
    }
  }
  const auto name = fmt::format("the OCI layout '{}'", m_path);
  if (index.manifests.size() == 1) { // as it is: what the index says of its platform may be missing or wrong
    SHEAF_TRY_ASSIGN(auto top, read_manifest(m_directory, index.manifests.front(), {}).context("reading " + name));
    return layout_source(name, m_directory, std::move(top));
  }
  return layout_source(name, m_directory, text_of(index));
}

Place split_place(std::string_view text) {
  Place place{std::string(text), {}};
  if (os::exists(place.path)) {
    return place;
  }
  const auto at = text.find('@');
  const auto mark = at != std::string_view::npos ? at : text.rfind(':');
  if (mark != std::string_view::npos) {
    place = {std::string(text.substr(0, mark)), std::string(text.substr(mark + 1))};
  }
  return place;
}

} // namespace sheaf::image
