// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packages of an image as a CycloneDX 1.5 document in JSON. Source: https://cyclonedx.org/docs/1.5/json/.

#include <string>
#include <string_view>

#include "sbom/document.hpp"

namespace sheaf::sbom {

/// Equal arguments give equal bytes. `tool_version` is that of sheaf.
std::string cyclonedx_text(const Subject& subject, const Packages& packages, std::string_view tool_version);

} // namespace sheaf::sbom
