// SPDX-License-Identifier: Apache-2.0
#pragma once

// The use case `sheaf load`: an image into the store of docker or podman.

#include "base/result.hpp"
#include "oci/reference.hpp"

#include <stop_token>
#include <string>

namespace sheaf::app {

/// Runs `program load` on what `sheaf export` writes for the image of the store at `store_root`. Both are children of
/// this process, which must not be in a user namespace of its own: podman makes one itself. `not_found` without the
/// program, `failed_step` if either fails; both have then said why on standard error.
Result<void> load_into(const std::string& program, const std::string& image, const std::string& store_root,
                       std::stop_token stop);

} // namespace sheaf::app
