// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readers of the single files in which npm and pip describe one package. Pure; for untrusted text.

#include "base/result.hpp"

#include <string_view>

#include "sbom/package.hpp"

namespace sheaf::sbom {

/// A package.json: name, version, licence. `corrupt` without the first two. Source: npm, package.json(5).
Result<Package> parse_package_json(std::string_view text);
/// A METADATA or PKG-INFO. `corrupt` without name and version. Source: packaging.python.org, Core metadata.
Result<Package> parse_python_metadata(std::string_view text);

} // namespace sheaf::sbom
