// SPDX-License-Identifier: Apache-2.0
#pragma once

// One text of a JSON document, with its line. Used by `find_version`.

#include "detect/wanted_version.hpp"

namespace sheaf::detect {

/// The text at `path`, keys from the top joined by '.'; of a key that is there twice the last one. Nothing if there is
/// none or it is no text. `invalid` if `contents` is no JSON.
Result<std::optional<Written>> json_text(std::string_view contents, std::string_view path);

} // namespace sheaf::detect
