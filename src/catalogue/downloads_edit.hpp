// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes the values of a `downloads.yml` and nothing else of its text: comments, order and style stay. Pure.

#include "catalogue/artefact.hpp"

#include <map>
#include <string>

namespace sheaf::catalogue {

/// The text of `downloads` with other current pins, by artefact. Digests for architectures that the pin does not know
/// must not be there. `invalid` if the text cannot take the change, which is said for whom to change it by hand.
Result<std::string> with_pins(const Downloads& downloads, const std::map<std::string, Pin>& pins);

} // namespace sheaf::catalogue
