// SPDX-License-Identifier: Apache-2.0
#pragma once

// One text of a TOML document, with its line. Used by `find_version`.

#include "detect/wanted_version.hpp"

namespace sheaf::detect {

/// The text at `path`, keys from the top joined by '.'. Nothing if there is none or it is no text. `invalid` if
/// `contents` is no TOML.
Result<std::optional<Written>> toml_text(std::string_view contents, std::string_view path);

} // namespace sheaf::detect
