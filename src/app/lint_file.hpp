// SPDX-License-Identifier: Apache-2.0
#pragma once

// The build checks of a Containerfile with what only a build knows: the ignore file, and the variables of the images
// that stages start from.

#include "app/build_context.hpp"
#include "containerfile/file.hpp"
#include "plan/image_plan.hpp"

#include <map>
#include <string>

namespace sheaf::app {

/// `images`: what is known of images, by name. Findings go to `diagnostics`.
void lint_file(const containerfile::File& file, const plan::ImageRequest& request, const BuildContext& context,
               const std::map<std::string, oci::Image>& images, Diagnostics& diagnostics);

} // namespace sheaf::app
