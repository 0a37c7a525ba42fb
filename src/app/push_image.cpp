// SPDX-License-Identifier: Apache-2.0
#include "app/push_image.hpp"

#include "app/attestations.hpp"
#include "app/registries.hpp"
#include "app/registry_image.hpp"
#include "app/transfer_progress.hpp"
#include "image/layout_target.hpp"

#include <fmt/format.h>

#include <utility>

namespace sheaf::app {
namespace {

Result<std::unique_ptr<image::ImageTarget>> open_target(const ExportRequest& request,
                                                        const std::vector<std::string>& names) {
  switch (request.kind) {
  case ImageFileKind::oci_directory:
    return image::open_layout_directory(request.path, names);
  case ImageFileKind::docker:
    return image::open_docker_archive(request.path, names);
  case ImageFileKind::oci_tar:
    break;
  }
  return image::open_layout_tar(request.path, names);
}

} // namespace

namespace {

struct SetOut {
  PushedSet set;
  std::vector<Digest> attestations;
  std::uint64_t bytes_sent = 0;
};

Result<SetOut> push_set(const std::vector<store::ImageRecord>& images, const oci::Reference& to,
                        const PushOptions& options, const Session& session) {
  const auto name = to.familiar();
  if (to.digest) {
    return Error(ErrorCode::invalid, fmt::format("'{}' has a digest, which only the image itself decides", name))
        .with_hint("name a tag instead");
  }
  SHEAF_TRY_ASSIGN(auto client, registry_client());
  const auto target = registry_target(client, to, session.store);
  TransferProgress progress("push " + name, session.events);
  image::ExportOptions how;
  how.compression = options.compression;
  how.annotations = options.annotations;
  how.jobs = session.jobs;
  how.on_progress = [&progress](const image::Progress& now) { progress.see(now); };
  SetOut out;
  out.set.name = name;
  SHEAF_TRY_ASSIGN(out.set.exported, image::export_images(images, how, *target, session.store, session.stop));
  SHEAF_TRY(target->finish());
  for (std::size_t i = 0; options.attest && i < images.size(); ++i) {
    SHEAF_TRY_ASSIGN(const auto put,
                     push_attestations(client, to, out.set.exported.images[i].manifest, images[i], session));
    out.attestations.insert(out.attestations.end(), put.begin(), put.end());
  }
  out.bytes_sent = client.bytes_sent();
  return out;
}

} // namespace

Result<Pushed> push_image(const store::ImageRecord& image, const oci::Reference& to, const PushOptions& options,
                          const Session& session) {
  SHEAF_TRY_ASSIGN(auto out,
                   push_set({image}, to, options, session).context(fmt::format("pushing to '{}'", to.familiar())));
  return Pushed{std::move(out.set.name), std::move(out.set.exported.images.front()), out.bytes_sent,
                std::move(out.attestations)};
}

Result<PushedSet> push_images(const std::vector<store::ImageRecord>& images, const oci::Reference& to,
                              const PushOptions& options, const Session& session) {
  SHEAF_TRY_ASSIGN(auto out,
                   push_set(images, to, options, session).context(fmt::format("pushing to '{}'", to.familiar())));
  return std::move(out.set);
}

Result<image::Exported> export_to_file(const store::ImageRecord& image, const std::vector<std::string>& names,
                                       const ExportRequest& request, const Session& session) {
  SHEAF_TRY_ASSIGN(auto set, export_all_to_file({image}, names, request, session));
  return std::move(set.images.front());
}

Result<image::ExportedSet> export_all_to_file(const std::vector<store::ImageRecord>& images,
                                              const std::vector<std::string>& names, const ExportRequest& request,
                                              const Session& session) {
  const auto doing = fmt::format("exporting to '{}'", request.path);
  if (request.kind == ImageFileKind::docker && images.size() > 1) {
    return Error(ErrorCode::unsupported, "a docker archive holds an image for one platform")
        .with_hint("write an OCI layout (type=oci), or build for one platform")
        .with_context(std::string(doing));
  }
  SHEAF_TRY_ASSIGN(const auto target, open_target(request, names).context(doing));
  image::ExportOptions how;
  how.annotations = request.annotations;
  how.jobs = session.jobs;
  how.compression = request.compression;
  if (request.kind == ImageFileKind::docker) {
    how.form = image::Form::docker;
    how.compression = oci::Compression::none;
  }
  SHEAF_TRY_ASSIGN(auto set, image::export_images(images, how, *target, session.store, session.stop).context(doing));
  SHEAF_TRY(target->finish().context(doing));
  return set;
}

} // namespace sheaf::app
