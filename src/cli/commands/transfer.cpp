// SPDX-License-Identifier: Apache-2.0
#include "app/image_bases.hpp"
#include "app/image_output.hpp"
#include "app/load_image.hpp"
#include "app/pull_image.hpp"
#include "app/push_image.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "cli/stored_image.hpp"
#include "plan/platform.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr Option k_platform = {"platform", 0, "OS/ARCH", "take the image for this platform instead of the machine's"};
constexpr Option k_compression = {"compression", 0, "KIND",
                                  "of layers that are packed now: zstd, gzip or uncompressed"};
constexpr Option k_annotation = {"annotation", 0, "NAME=VALUE", "an annotation of the manifest", true};

constexpr std::array k_pull_options = {
    k_platform, Option{"jobs", 'j', "N", "layers fetched at the same time (default: 4)"}, k_json_option};
constexpr std::array k_push_options = {
    k_compression, k_annotation, Option{"attest", 0, "", "put bills of materials, inventory and provenance beside it"},
    Option{"jobs", 'j', "N", "layers packed and sent at the same time (default: 4)"}, k_json_option};
constexpr std::array k_export_options = {
    Option{"output", 'o', "PATH", "where to write; '-' is standard output"},
    Option{"format", 0, "FORMAT", "oci (a tar), oci-dir, docker, tar (the files alone) or dir (default: oci)"},
    k_compression, k_annotation};
constexpr std::array k_import_options = {k_platform, k_json_option};
constexpr std::array k_load_options = {Option{"into", 0, "PROGRAM", "podman or docker (default: what is there)"}};

constexpr std::array<std::string_view, 2> k_pull_examples = {"sheaf pull debian:12",
                                                             "sheaf pull registry.example.org/team/app@sha256:…"};
constexpr std::array<std::string_view, 2> k_push_examples = {"sheaf push registry.example.org/team/app:1",
                                                             "sheaf push app:1 registry.example.org/team/app:1"};
constexpr std::array<std::string_view, 3> k_export_examples = {"sheaf export app -o app.tar",
                                                               "sheaf export app --format oci-dir -o layout",
                                                               "sheaf export app --format docker -o - | podman load"};
constexpr std::array<std::string_view, 2> k_import_examples = {"sheaf import app.tar",
                                                               "skopeo copy docker://… oci-archive:/dev/stdout | "
                                                               "sheaf import - app:1"};
constexpr std::array<std::string_view, 1> k_load_examples = {"sheaf load --into podman app:1"};

Result<std::optional<oci::Platform>> platform_of(const Invocation& invocation) {
  const auto text = invocation.value("platform");
  if (!text) {
    return std::optional<oci::Platform>();
  }
  SHEAF_TRY_ASSIGN(const auto platform, plan::Platform::parse(*text));
  return std::optional(oci::Platform{platform.os, platform.architecture, platform.variant, {}});
}

Result<std::optional<oci::Compression>> compression_of(const Invocation& invocation) {
  const auto text = invocation.value("compression");
  if (!text) {
    return std::optional<oci::Compression>();
  }
  SHEAF_TRY_ASSIGN(const auto compression, app::parse_compression(*text));
  return std::optional(compression);
}

Result<std::map<std::string, std::string>> annotations_of(const Invocation& invocation) {
  std::map<std::string, std::string> annotations;
  for (const auto& value : invocation.values("annotation")) {
    const auto equals = value.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(ErrorCode::invalid, fmt::format("'--annotation {}' is not understood", value))
          .with_hint("--annotation NAME=VALUE");
    }
    annotations[value.substr(0, equals)] = value.substr(equals + 1);
  }
  return annotations;
}

std::string took(Clock::time_point start) {
  return human_milliseconds(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
}

Json json_of(const app::Pulled& pulled) {
  return {{"id", pulled.id.to_string()},
          {"names", pulled.names},
          {"manifest", pulled.manifest ? Json(pulled.manifest->to_string()) : Json(nullptr)},
          {"layers", pulled.record.trees.size()},
          {"bytes_fetched", pulled.bytes_fetched},
          {"up_to_date", pulled.up_to_date}};
}

Result<int> pull(Invocation& invocation) {
  const auto start = Clock::now();
  SHEAF_TRY_ASSIGN(const auto platform, platform_of(invocation));
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  auto list = Json::array();
  for (const auto& name : invocation.operands) {
    SHEAF_TRY_ASSIGN(const auto pulled, app::pull_image(name, platform, session));
    list.push_back(json_of(pulled));
    const auto what = pulled.up_to_date ? std::string("up to date")
                                        : fmt::format("{} layers, {} fetched", pulled.record.trees.size(),
                                                      human_bytes(pulled.bytes_fetched));
    invocation.events->emit({EventKind::note, "pull",
                             fmt::format("{}  {}, {} in {}", pulled.names.front(), pulled.id.to_string().substr(0, 19),
                                         what, took(start))});
  }
  if (invocation.json()) {
    Invocation::print(Json{{"images", list}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  return 0;
}

std::string summary(const image::Exported& exported) {
  return fmt::format("{} layers: {} packed, {} packed before, {} there already", exported.layers.size(), exported.made,
                     exported.reused, exported.there);
}

std::vector<std::string> texts(const std::vector<Digest>& digests) {
  std::vector<std::string> result;
  result.reserve(digests.size());
  for (const auto& digest : digests) {
    result.push_back(digest.to_string());
  }
  return result;
}

Result<int> report(const Invocation& invocation, const app::Pushed& pushed, Clock::time_point start) {
  const auto& manifest = pushed.exported.manifest;
  if (invocation.json()) {
    Invocation::print(Json{{"name", pushed.name},
                           {"manifest", manifest.digest.to_string()},
                           {"layers", pushed.exported.layers.size()},
                           {"packed", pushed.exported.made},
                           {"there", pushed.exported.there},
                           {"bytes_sent", pushed.bytes_sent},
                           {"unchanged", pushed.exported.unchanged},
                           {"attestations", texts(pushed.attestations)}}
                          .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                      "\n");
    return 0;
  }
  invocation.events->emit({EventKind::note, "push",
                           fmt::format("{}  {}, {} sent in {}", pushed.name, summary(pushed.exported),
                                       human_bytes(pushed.bytes_sent), took(start))});
  Invocation::print(manifest.digest.to_string() + "\n");
  return 0;
}

Result<int> push(Invocation& invocation) {
  const auto start = Clock::now();
  app::PushOptions options;
  SHEAF_TRY_ASSIGN(options.compression, compression_of(invocation));
  SHEAF_TRY_ASSIGN(options.annotations, annotations_of(invocation));
  options.attest = invocation.has("attest");
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(const auto to, oci::Reference::parse(invocation.operands.back()));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto image, stored_image(store, invocation.operands.front()));
  SHEAF_TRY_ASSIGN(const auto pushed,
                   app::push_image(image.record, to, options, {store, *invocation.events, invocation.stop(), jobs}));
  return report(invocation, pushed, start);
}

Result<app::ImageFileKind> kind_of(const std::string& format) {
  if (format == "oci") {
    return app::ImageFileKind::oci_tar;
  }
  if (format == "oci-dir") {
    return app::ImageFileKind::oci_directory;
  }
  if (format == "docker") {
    return app::ImageFileKind::docker;
  }
  return Error(ErrorCode::invalid, fmt::format("there is no format '{}'", format))
      .with_hint("one of oci, oci-dir, docker, tar and dir");
}

Result<void> write(const store::StoredImage& image, const std::string& format, const std::string& path,
                   const Invocation& invocation, const app::Session& session) {
  if (format == "tar" || format == "dir") {
    app::OutputRequest request;
    request.kind = format == "tar" ? app::OutputRequest::Kind::tar : app::OutputRequest::Kind::directory;
    request.destination = path;
    SHEAF_TRY(app::write_output(request, {image.record}, {}, session));
    return {};
  }
  app::ExportRequest request;
  SHEAF_TRY_ASSIGN(request.kind, kind_of(format));
  request.path = path;
  SHEAF_TRY_ASSIGN(request.compression, compression_of(invocation));
  SHEAF_TRY_ASSIGN(request.annotations, annotations_of(invocation));
  std::vector<std::string> names;
  names.reserve(image.tags.size());
  for (const auto& tag : image.tags) {
    names.push_back(tag.to_string());
  }
  SHEAF_TRY_ASSIGN(const auto exported, app::export_to_file(image.record, names, request, session));
  session.events.emit({EventKind::note, "export",
                       fmt::format("{}  {}, {}", exported.manifest.digest.to_string().substr(0, 19), summary(exported),
                                   human_bytes(exported.bytes_written))});
  return {};
}

Result<int> export_image(Invocation& invocation) {
  const auto path = invocation.value("output");
  const auto format = invocation.value("format").value_or("oci");
  if (!path || path->empty()) {
    return Error(ErrorCode::invalid, "nothing says where to write").with_hint("-o FILE, or -o - for standard output");
  }
  if (*path == "-" && (format == "oci-dir" || format == "dir")) {
    return Error(ErrorCode::invalid, "a directory cannot be written to standard output")
        .with_hint("--format oci or tar writes one file");
  }
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto image, stored_image(store, invocation.operands.front()));
  const app::Session session{store, *invocation.events, invocation.stop(), image_jobs()};
  SHEAF_TRY(write(image, format, *path, invocation, session));
  return 0;
}

Result<int> import(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto platform, platform_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const auto name = invocation.operands.size() > 1 ? std::optional(invocation.operands[1]) : std::nullopt;
  SHEAF_TRY_ASSIGN(const auto images, app::import_images(invocation.operands.front(), name, platform,
                                                         {store, *invocation.events, invocation.stop(), image_jobs()}));
  auto list = Json::array();
  for (const auto& image : images) {
    list.push_back(json_of(image));
    invocation.events->emit({EventKind::note, "import",
                             fmt::format("{}  {}", image.id.to_string().substr(0, 19),
                                         image.names.empty() ? "(no name)" : joined(image.names, " "))});
  }
  if (invocation.json()) {
    Invocation::print(Json{{"images", list}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  return 0;
}

Result<int> load(Invocation& invocation) {
  auto program = invocation.value("into").value_or("");
  if (program.empty()) {
    program = os::find_program("podman") ? "podman" : "docker";
  }
  if (program != "podman" && program != "docker") {
    return Error(ErrorCode::invalid, fmt::format("'--into {}' is neither podman nor docker", program))
        .with_hint("others read what 'sheaf export' writes");
  }
  SHEAF_TRY(invocation.interrupts->watch());
  SHEAF_TRY(app::load_into(program, invocation.operands.front(), invocation.store_root, invocation.stop()));
  return 0;
}

} // namespace

const Command k_pull = {
    "pull",
    "bring images from their registries into the store",
    "Fetches what the store does not have, several layers at a time; each is checked, unpacked and kept while it "
    "comes, "
    "and nothing is kept of one that is not what its digest says. A name that stands for what is there already costs "
    "one question. Registries that need it: 'sheaf login'.",
    {"IMAGE…", 1, 1000},
    k_pull_options,
    k_pull_examples,
    pull};

const Command k_push = {
    "push",
    "send an image of the store to a registry",
    "Sends the blobs that the registry does not have, then the manifest; its digest is printed. Layers are packed once "
    "and in the same way everywhere: the same layer is the same blob. With one argument the image's own name says "
    "where it goes.",
    {"IMAGE [DESTINATION]", 1, 2},
    k_push_options,
    k_push_examples,
    push};

const Command k_export = {"export",
                          "write an image to a file or directory",
                          "As an OCI image layout (a tar, or a directory to which others may be added), an archive for "
                          "'docker load', or its files alone.",
                          {"IMAGE", 1, 1},
                          k_export_options,
                          k_export_examples,
                          export_image};

const Command k_import = {"import",
                          "bring the images of a file into the store",
                          "Reads OCI image layouts and docker archives (docker save, podman save), a directory or a "
                          "tar, packed or not; '-' is standard input. NAME is given to the only image in it; without, "
                          "images are called as the file says.",
                          {"FILE [NAME]", 1, 2},
                          k_import_options,
                          k_import_examples,
                          import};

const Command k_load = {"load",
                        "give an image to podman or docker",
                        "Runs 'podman load' or 'docker load' on the image.",
                        {"IMAGE", 1, 1},
                        k_load_options,
                        k_load_examples,
                        load};

} // namespace sheaf::cli
