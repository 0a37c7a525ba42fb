// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packages of an image as an SPDX 2.3 document in JSON. Source: https://spdx.github.io/spdx-spec/v2.3/.

#include <string>
#include <string_view>

#include "sbom/document.hpp"

namespace sheaf::sbom {

/// Equal arguments give equal bytes. `tool` is who says so: "sheaf-0.1".
std::string spdx_text(const Subject& subject, const Packages& packages, std::string_view tool);

} // namespace sheaf::sbom
