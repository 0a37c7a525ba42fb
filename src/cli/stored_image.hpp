// SPDX-License-Identifier: Apache-2.0
#pragma once

// An image of the store by the name that somebody typed, for the commands that need it to be there.

#include "cli/command.hpp"
#include "store/store.hpp"

namespace sheaf::cli {

/// By name or the beginning of its id. `not_found` if there is none; `corrupt`, with the file, if what the store knows
/// of it is damaged.
Result<store::StoredImage> stored_image(store::Store& store, const std::string& name);

/// Warns of every record of an image that was found damaged and that nobody was told of.
void tell_of_damaged_images(store::Store& store, Invocation& invocation);

} // namespace sheaf::cli
