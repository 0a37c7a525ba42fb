// SPDX-License-Identifier: Apache-2.0
#include "app/image_bases.hpp"

#include "app/pull_image.hpp"
#include "base/suggest.hpp"
#include "image/image_file.hpp"
#include "image/import.hpp"
#include "oci/reference.hpp"
#include "plan/platform.hpp"

#include <fmt/format.h>

namespace sheaf::app {
namespace {

std::string near_names(const std::string& name, const Session& session) {
  std::vector<std::string> known;
  if (const auto images = session.store.images()) {
    for (const auto& image : *images) {
      for (const auto& tag : image.tags) {
        known.push_back(tag.familiar());
      }
    }
  }
  const auto near = did_you_mean(name, known);
  return near.empty() ? near : near + " ";
}

Error missing(const std::string& name, const Session& session) {
  return Error(ErrorCode::not_found, fmt::format("there is no image '{}' in the store", name))
      .with_hint(fmt::format("{}'sheaf image list' shows all; 'sheaf pull {}' asks its registry",
                             near_names(name, session), name));
}

using Wanted = std::optional<oci::Platform>;

Result<store::ImageRecord> read_layout(const std::string& text, const Wanted& platform, const Session& session) {
  const auto doing = fmt::format("reading the OCI layout '{}'", text);
  const auto place = image::split_place(text);
  SHEAF_TRY_ASSIGN(const auto file, image::ImageFile::open(place.path, session.store).context(doing));
  SHEAF_TRY_ASSIGN(const auto source, file.source(place.name).context(doing));
  image::ImportOptions options;
  options.platform = platform;
  return image::import_image(*source, options, session.store, session.stop).context(doing);
}

/// Looks at its trees, which are in use from then on: a build whose steps are all known would not. One that lost a part
/// counts as not there: it may be pulled again.
std::optional<store::ImageRecord> if_whole(const std::string& name, store::ImageRecord image, const Session& session) {
  const auto trees = session.store.trees_of(image);
  if (!trees) {
    session.events.emit({EventKind::warning, "", fmt::format("image '{}': {}", name, trees.error().summary())});
    return std::nullopt;
  }
  return image;
}

Result<std::optional<store::ImageRecord>> in_store(const std::string& name, const oci::Reference& reference,
                                                   const Wanted& platform, const Session& session) {
  if (reference.digest) {
    SHEAF_TRY_ASSIGN(auto pulled, find_pulled(*reference.digest, platform, session.store));
    if (pulled && session.store.trees_of(*pulled)) {
      return pulled;
    }
  }
  SHEAF_TRY_ASSIGN(auto image, find_stored(name, session.store));
  return image && fits(image->record, platform) ? if_whole(name, std::move(image->record), session) : std::nullopt;
}

/// An image for another platform does not get the name: it is for this build.
Result<store::ImageRecord> pull(const std::string& name, const oci::Reference& reference, const Wanted& platform,
                                const Session& session) {
  auto pulled = platform ? fetch_image(reference, platform, session) : pull_image(name, {}, session);
  if (!pulled) {
    auto error = std::move(pulled).error();
    if (!error.hint().empty()) { // it says how to reach the registry
      return error;
    }
    return std::move(error).with_hint(fmt::format(
        "{}no stage above, no --build-context and no image of the store ('sheaf image list') is called '{}'",
        near_names(name, session), name));
  }
  if (!pulled->up_to_date) {
    session.events.emit({EventKind::note, "pull", fmt::format("{} {}", name, pulled->id.to_string().substr(0, 19))});
  }
  return std::move(pulled->record);
}

Result<store::ImageRecord> find(const std::string& name, const Wanted& platform, Pull when, const Session& session) {
  if (name.starts_with(k_layout_scheme)) {
    return read_layout(name.substr(k_layout_scheme.size()), platform, session);
  }
  SHEAF_TRY_ASSIGN(const auto reference, oci::Reference::parse(name));
  SHEAF_TRY_ASSIGN(auto image, in_store(name, reference, platform, session));
  // What a build here made has no registry unless its name says one.
  const bool is_local = image && reference.registry == "localhost";
  if (image && (when != Pull::always || is_local)) {
    return std::move(*image);
  }
  return when == Pull::never ? Result<store::ImageRecord>(missing(name, session))
                             : pull(name, reference, platform, session);
}

Wanted platform_of(const plan::PlatformImage& image) {
  return image.platform
             ? Wanted(oci::Platform{image.platform->os, image.platform->architecture, image.platform->variant, {}})
             : std::nullopt;
}

} // namespace

Result<store::ImageRecord> find_image(const std::string& name, Pull when, const Session& session) {
  return find(name, std::nullopt, when, session);
}

Result<std::map<std::string, store::ImageRecord, std::less<>>> find_images(const std::set<std::string>& names,
                                                                           Pull when, const Session& session) {
  std::map<std::string, store::ImageRecord, std::less<>> images;
  for (const auto& name : names) {
    const auto wanted = plan::PlatformImage::parse(name);
    auto image = find(wanted.name, platform_of(wanted), when, session);
    if (!image) {
      return wanted.platform ? std::move(image).context(fmt::format("finding '{}'", name)).error()
                             : std::move(image).error();
    }
    images.emplace(name, std::move(*image));
  }
  return images;
}

} // namespace sheaf::app
