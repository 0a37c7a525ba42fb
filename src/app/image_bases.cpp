// SPDX-License-Identifier: Apache-2.0
#include "app/image_bases.hpp"

#include "base/suggest.hpp"
#include "image/image_file.hpp"
#include "image/import.hpp"
#include "oci/reference.hpp"

#include <fmt/format.h>

namespace sheaf::app {
namespace {

Error missing(const std::string& name, const Session& session) {
  std::vector<std::string> known;
  if (const auto images = session.store.images()) {
    for (const auto& image : *images) {
      for (const auto& tag : image.tags) {
        known.push_back(tag.familiar());
      }
    }
  }
  const auto near = did_you_mean(name, known);
  return Error(ErrorCode::not_found, fmt::format("there is no image '{}' in the store", name))
      .with_hint((near.empty() ? std::string() : near + " ") +
                 fmt::format("stages above and --build-context names are looked up first; images are not pulled from "
                             "registries yet: build it (sheaf build -t {0} …), or give it as "
                             "an OCI layout (--build-context {0}=oci-layout://PATH)",
                             name));
}

/// The place is "PATH", "PATH:TAG" or "PATH@DIGEST".
Result<store::ImageRecord> import_from_layout(const std::string& text, const Session& session) {
  const auto place = image::split_place(text);
  SHEAF_TRY_ASSIGN(const auto file, image::ImageFile::open(place.path, session.store));
  SHEAF_TRY_ASSIGN(const auto source, file.source(place.name));
  return image::import_image(*source, {}, session.store, session.stop);
}

} // namespace

Result<store::ImageRecord> find_image(const std::string& name, const Session& session) {
  if (name.starts_with(k_layout_scheme)) {
    return import_from_layout(name.substr(k_layout_scheme.size()), session);
  }
  SHEAF_TRY(oci::Reference::parse(name));
  SHEAF_TRY_ASSIGN(auto image, session.store.find_image(name));
  if (!image) {
    return missing(name, session);
  }
  return std::move(image->record);
}

Result<std::map<std::string, store::ImageRecord, std::less<>>> find_images(const std::set<std::string>& names,
                                                                           const Session& session) {
  std::map<std::string, store::ImageRecord, std::less<>> images;
  for (const auto& name : names) {
    SHEAF_TRY_ASSIGN(auto image, find_image(name, session));
    images.emplace(name, std::move(image));
  }
  return images;
}

} // namespace sheaf::app
