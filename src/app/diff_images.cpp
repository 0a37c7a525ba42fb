// SPDX-License-Identifier: Apache-2.0
#include "app/diff_images.hpp"

#include "app/image_bases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sbom/cyclonedx.hpp"
#include "sbom/spdx.hpp"

namespace sheaf::app {
namespace {

Result<sbom::TreeStack> open_image(const store::ImageRecord& image, const std::string& name, const Session& session) {
  SHEAF_TRY_ASSIGN(auto trees, session.store.trees_of(image).context(fmt::format("reading the image '{}'", name)));
  return sbom::TreeStack::open(std::move(trees)).context(fmt::format("reading the image '{}'", name));
}

/// The image with the best of its names: the one that was asked for, else any, else its id.
Result<sbom::Subject> subject_of(const store::ImageRecord& image, const std::string& asked, const Session& session) {
  sbom::Subject subject;
  subject.digest = store::image_id(image);
  subject.architecture = image.image.architecture;
  subject.created = image.created;
  subject.name = subject.digest.to_string();
  SHEAF_TRY_ASSIGN(const auto stored, session.store.find_image(subject.digest.to_string()));
  if (!stored || stored->tags.empty()) {
    return subject;
  }
  const auto wanted = oci::Reference::parse(asked);
  const bool is_name = wanted && std::ranges::find(stored->tags, *wanted) != stored->tags.end();
  subject.name = (is_name ? *wanted : stored->tags.front()).familiar();
  return subject;
}

} // namespace

Result<SbomFormat> sbom_format(std::string_view name) {
  if (name == "spdx") {
    return SbomFormat::spdx;
  }
  if (name == "cyclonedx") {
    return SbomFormat::cyclonedx;
  }
  return Error(ErrorCode::invalid, fmt::format("there is no SBOM format '{}'", name))
      .with_hint("'spdx' (SPDX 2.3) and 'cyclonedx' (CycloneDX 1.5) are there, both in JSON");
}

Result<sbom::ImageDiff> diff_images(const std::string& before, const std::string& after, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto first, find_image(before, Pull::never, session));
  SHEAF_TRY_ASSIGN(const auto second, find_image(after, Pull::never, session));
  SHEAF_TRY_ASSIGN(const auto one, open_image(first, before, session));
  SHEAF_TRY_ASSIGN(const auto two, open_image(second, after, session));
  return sbom::diff_images(one, two).context(fmt::format("comparing '{}' and '{}'", before, after));
}

Result<std::string> image_sbom(const std::string& name, SbomFormat format, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto image, find_image(name, Pull::never, session));
  SHEAF_TRY_ASSIGN(const auto root, open_image(image, name, session));
  SHEAF_TRY_ASSIGN(const auto packages,
                   sbom::find_packages(root).context(fmt::format("looking for the packages of '{}'", name)));
  SHEAF_TRY_ASSIGN(const auto subject, subject_of(image, name, session));
  if (!packages.unreadable.empty()) {
    session.events.emit(
        {EventKind::warning, name,
         fmt::format("{} {} no package that can be read, the first: '/{}'", packages.unreadable.size(),
                     packages.unreadable.size() == 1 ? "file names" : "files name", packages.unreadable.front())});
  }
  return format == SbomFormat::spdx ? sbom::spdx_text(subject, packages, "sheaf-" SHEAF_VERSION)
                                    : sbom::cyclonedx_text(subject, packages, SHEAF_VERSION);
}

} // namespace sheaf::app
