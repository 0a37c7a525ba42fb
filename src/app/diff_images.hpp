// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is in an image, said without running it: its packages as an SBOM, and what differs between two images.

#include "app/build_stack.hpp"

#include <string>
#include <string_view>

#include "sbom/document.hpp"
#include "sbom/image_diff.hpp"

namespace sheaf::app {

enum class SbomFormat { spdx, cyclonedx };
/// By the name that the command line has; `invalid` says which there are.
Result<SbomFormat> sbom_format(std::string_view name);

/// Packages and files of two images, each by name, id or oci-layout://…. `not_found` if there is no such image.
Result<sbom::ImageDiff> diff_images(const std::string& before, const std::string& after, const Session& session);

/// The packages of an image as a document. Files that should name a package and cannot be read are a warning.
Result<std::string> image_sbom(const std::string& name, SbomFormat format, const Session& session);

} // namespace sheaf::app
