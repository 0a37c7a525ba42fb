// SPDX-License-Identifier: Apache-2.0
#include "app/image_output.hpp"

#include "app/attributes.hpp"
#include "app/copy_tree.hpp"
#include "app/push_image.hpp"
#include "archive/tree_writer.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/namespaces.hpp"
#include "os/output_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace sheaf::app {
namespace {

using Kind = OutputRequest::Kind;

struct OutputType {
  std::string_view name;
  Kind kind;
  /// Where it goes if nothing is said; empty: something must be said.
  std::string_view otherwise;
};
constexpr std::array k_types = {OutputType{"local", Kind::directory, ""},    OutputType{"tar", Kind::tar, "-"},
                                OutputType{"cacheonly", Kind::nothing, "-"}, OutputType{"image", Kind::nothing, "-"},
                                OutputType{"oci", Kind::oci, "-"},           OutputType{"docker", Kind::docker, "-"},
                                OutputType{"registry", Kind::registry, "-"}};

Error no_such_type(std::string_view type) {
  return Error(ErrorCode::invalid, fmt::format("there is no output type '{}'", type))
      .with_hint("one of local, tar, oci, docker, registry, image and cacheonly");
}

Result<OutputRequest> request_of(std::string_view type, std::string destination) {
  const auto* found = std::ranges::find(k_types, type, &OutputType::name);
  if (found == k_types.end()) {
    return no_such_type(type);
  }
  if (destination.empty() && found->otherwise.empty()) {
    return Error(ErrorCode::invalid, fmt::format("'--output type={}' has no destination", type))
        .with_hint(fmt::format("--output type={},dest=DIRECTORY", type));
  }
  if (found->kind == Kind::directory && destination == "-") {
    return Error(ErrorCode::invalid, "a directory cannot be written to standard output")
        .with_hint("--output type=tar,dest=-");
  }
  return OutputRequest{
      found->kind, destination.empty() ? std::string(found->otherwise) : std::move(destination), {}, {}};
}

Result<bool> truth_of(std::string_view name, std::string_view value) {
  if (value != "true" && value != "false") {
    return Error(ErrorCode::invalid, fmt::format("'--output {}={}' is neither true nor false", name, value))
        .with_hint(fmt::format("{}=true or {}=false", name, name));
  }
  return value == "true";
}

/// What may be said of some types only.
Result<void> apply(const std::string& name, const std::string& value, OutputRequest& request) {
  if (name == "name") {
    for (const auto part : split(value, ',')) {
      request.names.emplace_back(part);
    }
  } else if (name == "compression") {
    SHEAF_TRY_ASSIGN(request.compression, parse_compression(value));
  } else if (name == "push" && request.kind == Kind::nothing) {
    SHEAF_TRY_ASSIGN(const bool push, truth_of(name, value));
    request.kind = push ? Kind::registry : Kind::nothing;
  } else if (name == "tar" && (request.kind == Kind::oci || request.kind == Kind::oci_directory)) {
    SHEAF_TRY_ASSIGN(const bool tar, truth_of(name, value));
    request.kind = tar ? Kind::oci : Kind::oci_directory;
  } else {
    return Error(ErrorCode::invalid, fmt::format("'--output' has no attribute '{}' for this type", name))
        .with_hint("type=TYPE,dest=PATH,name=NAME,compression=gzip|zstd|uncompressed; tar=false for oci, push=true for "
                   "image");
  }
  return {};
}

/// The root of an image, mounted where nobody else sees it.
Result<os::Fd> mount_root(const std::vector<std::string>& trees, store::Staging& staging) {
  std::vector<std::string> lowers;
  // overlayfs wants two; an image may have no tree at all.
  for (std::size_t i = trees.size(); i < 2; ++i) {
    SHEAF_TRY_ASSIGN(auto empty, staging.fresh_directory("empty-"));
    lowers.push_back(std::move(empty));
  }
  lowers.insert(lowers.end(), trees.begin(), trees.end());
  return os::mount_overlay({lowers, {}, {}, false});
}

Result<void> write_tar(const os::Fd& root, const os::Fd& to) {
  archive::TarWriter writer(to);
  SHEAF_TRY(archive::write_tree(root, writer));
  return writer.finish();
}

/// Readers see no tar or a whole one.
Result<void> write_tar_file(const os::Fd& root, const std::string& path) {
  SHEAF_TRY_ASSIGN(auto file, os::OutputFile::create(path));
  SHEAF_TRY(write_tar(root, file.fd()));
  return file.commit();
}

Result<void> write_files(const OutputRequest& request, const std::vector<std::string>& trees, store::Store& store) {
  SHEAF_TRY_ASSIGN(auto staging, store.stage());
  SHEAF_TRY_ASSIGN(const auto root, mount_root(trees, staging));
  if (request.kind == Kind::directory) {
    const bool is_new = !os::exists(request.destination);
    SHEAF_TRY(os::make_directories(request.destination));
    if (is_new) {
      SHEAF_TRY(os::give_to_caller(request.destination));
    }
    SHEAF_TRY_ASSIGN(const auto to, os::open(request.destination, O_RDONLY | O_DIRECTORY));
    return copy_tree(root, to);
  }
  if (request.destination == "-") {
    return write_tar(root, os::Fd(dup(STDOUT_FILENO)));
  }
  return write_tar_file(root, request.destination);
}

/// Those of the request, else those of the image.
Result<std::vector<oci::Reference>> names_of(const OutputRequest& request, const std::vector<oci::Reference>& tags) {
  if (request.names.empty()) {
    return tags;
  }
  std::vector<oci::Reference> names;
  for (const auto& name : request.names) {
    SHEAF_TRY_ASSIGN(auto reference, oci::Reference::parse(name).context("reading '--output name='"));
    names.push_back(std::move(reference));
  }
  return names;
}

Result<std::optional<WrittenImage>> push_all(const OutputRequest& request,
                                             const std::vector<store::ImageRecord>& images,
                                             const std::vector<oci::Reference>& names, const Session& session) {
  if (names.empty()) {
    return Error(ErrorCode::invalid, "there is no name to push the image to")
        .with_hint("name it: -t REGISTRY/NAME:TAG");
  }
  WrittenImage written;
  for (const auto& name : names) {
    SHEAF_TRY_ASSIGN(const auto pushed, push_images(images, name, {request.compression, {}, request.attest}, session));
    const auto& exported = pushed.exported;
    session.events.emit({EventKind::note, "push", fmt::format("{} {}", pushed.name, exported.top.digest.to_string())});
    written.manifest = exported.top;
    written.config = exported.images.size() == 1 ? std::optional(exported.images.front().config) : std::nullopt;
    for (const auto& image : exported.images) {
      written.pushed.push_back({name, image.manifest, request.compression});
    }
  }
  return std::optional(std::move(written));
}

/// A folder for each platform, named as buildx does: "linux_arm64".
OutputRequest for_platform(const OutputRequest& request, const oci::Image& image) {
  auto one = request;
  one.destination += fmt::format("/{}_{}", image.os, image.architecture);
  one.destination += image.variant.empty() ? "" : "_" + image.variant;
  return one;
}

Result<void> write_files_of(const store::ImageRecord& image, const OutputRequest& request, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto trees, session.store.trees_of(image));
  return write_files(request, trees, session.store)
      .context(fmt::format("writing the image's files to '{}'", request.destination));
}

ImageFileKind file_kind_of(Kind kind) {
  return kind == Kind::docker          ? ImageFileKind::docker
         : kind == Kind::oci_directory ? ImageFileKind::oci_directory
                                       : ImageFileKind::oci_tar;
}

} // namespace

Result<oci::Compression> parse_compression(std::string_view text) {
  if (text == "gzip") {
    return oci::Compression::gzip;
  }
  if (text == "zstd") {
    return oci::Compression::zstd;
  }
  if (text == "uncompressed" || text == "none") {
    return oci::Compression::none;
  }
  return Error(ErrorCode::invalid, fmt::format("there is no compression '{}'", text))
      .with_hint("one of zstd, gzip and uncompressed");
}

Result<OutputRequest> parse_output(std::string_view text) {
  SHEAF_TRY_ASSIGN(const auto attributes, parse_attributes(text));
  if (attributes.size() == 1 && !attributes.front().value) {
    return text == "-" ? request_of("tar", "-") : request_of("local", std::string(text));
  }
  std::string type;
  std::string destination;
  for (const auto& [name, value] : attributes) {
    if (name == "type") {
      type = value.value_or("");
    } else if (name == "dest" || name == "destination") {
      destination = value.value_or("");
    }
  }
  SHEAF_TRY_ASSIGN(auto request, request_of(type, std::move(destination)));
  for (const auto& [name, value] : attributes) {
    if (name != "type" && name != "dest" && name != "destination") {
      SHEAF_TRY(apply(name, value.value_or(""), request));
    }
  }
  if (request.kind == Kind::oci_directory && request.destination == "-") {
    return Error(ErrorCode::invalid, "a directory cannot be written to standard output")
        .with_hint("--output type=oci,tar=false,dest=DIRECTORY");
  }
  return request;
}

Result<void> check_output(const OutputRequest& request, std::size_t platforms) {
  if (platforms < 2 || (request.kind != Kind::docker && request.kind != Kind::tar)) {
    return {};
  }
  const auto* const type = request.kind == Kind::docker ? "docker" : "tar";
  return Error(ErrorCode::unsupported, fmt::format("'--output type={}' holds an image for one platform", type))
      .with_hint("type=oci and type=registry hold several, type=local makes a folder for each");
}

Result<std::optional<WrittenImage>> write_output(const OutputRequest& request,
                                                 const std::vector<store::ImageRecord>& images,
                                                 const std::vector<oci::Reference>& tags, const Session& session) {
  const std::optional<WrittenImage> nothing;
  if (request.kind == Kind::nothing) {
    return nothing;
  }
  SHEAF_TRY_ASSIGN(const auto names, names_of(request, tags));
  if (request.kind == Kind::registry) {
    return push_all(request, images, names, session);
  }
  if (request.kind == Kind::directory || request.kind == Kind::tar) {
    for (const auto& image : images) {
      SHEAF_TRY(write_files_of(image, images.size() > 1 ? for_platform(request, image.image) : request, session));
    }
    return nothing;
  }
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const auto& name : names) {
    texts.push_back(name.to_string());
  }
  const ExportRequest how{file_kind_of(request.kind), request.destination, request.compression, {}};
  SHEAF_TRY_ASSIGN(const auto set, export_all_to_file(images, texts, how, session));
  return std::optional(
      WrittenImage{set.top, images.size() == 1 ? std::optional(set.images.front().config) : std::nullopt, {}});
}

} // namespace sheaf::app
