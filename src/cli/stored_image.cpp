// SPDX-License-Identifier: Apache-2.0
#include "cli/stored_image.hpp"

#include "app/pull_image.hpp"

#include <fmt/format.h>

namespace sheaf::cli {

Result<store::StoredImage> stored_image(store::Store& store, const std::string& name) {
  SHEAF_TRY_ASSIGN(auto image, app::find_stored(name, store));
  if (image) {
    return std::move(*image);
  }
  if (const auto damaged = store.take_damaged(); !damaged.empty()) {
    return Error(ErrorCode::corrupt,
                 fmt::format("what is kept of the image '{}' is damaged or lost: '{}'", name, damaged.front()))
        .with_hint("build, import or pull the image again");
  }
  return Error(ErrorCode::not_found, fmt::format("there is no image '{}'", name))
      .with_hint("'sheaf image list' shows all");
}

void tell_of_damaged_images(store::Store& store, Invocation& invocation) {
  for (const auto& path : store.take_damaged()) {
    invocation.events->emit(
        {EventKind::warning, "store", fmt::format("'{}' is damaged: build or pull the image again", path)});
  }
}

} // namespace sheaf::cli
