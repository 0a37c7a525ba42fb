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

Result<Pushed> push_image(const store::ImageRecord& image, const oci::Reference& to, const PushOptions& options,
                          const Session& session) {
  const auto name = to.familiar();
  const auto doing = fmt::format("pushing to '{}'", name);
  if (to.digest) {
    return Error(ErrorCode::invalid, fmt::format("'{}' has a digest, which only the image itself decides", name))
        .with_hint("name a tag instead");
  }
  SHEAF_TRY_ASSIGN(auto client, registry_client().context(doing));
  const auto target = registry_target(client, to, session.store);
  TransferProgress progress("push " + name, session.events);
  image::ExportOptions how;
  how.compression = options.compression;
  how.annotations = options.annotations;
  how.jobs = session.jobs;
  how.on_progress = [&progress](const image::Progress& now) { progress.see(now); };
  Pushed pushed;
  pushed.name = name;
  SHEAF_TRY_ASSIGN(pushed.exported,
                   image::export_image(image, how, *target, session.store, session.stop).context(doing));
  SHEAF_TRY(target->finish().context(doing));
  if (options.attest) {
    SHEAF_TRY_ASSIGN(pushed.attestations,
                     push_attestations(client, to, pushed.exported.manifest, image, session).context(doing));
  }
  pushed.bytes_sent = client.bytes_sent();
  return pushed;
}

Result<image::Exported> export_to_file(const store::ImageRecord& image, const std::vector<std::string>& names,
                                       const ExportRequest& request, const Session& session) {
  const auto doing = fmt::format("exporting to '{}'", request.path);
  SHEAF_TRY_ASSIGN(const auto target, open_target(request, names).context(doing));
  image::ExportOptions how;
  how.annotations = request.annotations;
  how.jobs = session.jobs;
  how.compression = request.compression;
  if (request.kind == ImageFileKind::docker) {
    how.form = image::Form::docker;
    how.compression = oci::Compression::none;
  }
  SHEAF_TRY_ASSIGN(auto exported, image::export_image(image, how, *target, session.store, session.stop).context(doing));
  SHEAF_TRY(target->finish().context(doing));
  return exported;
}

} // namespace sheaf::app
