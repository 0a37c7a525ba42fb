// SPDX-License-Identifier: Apache-2.0
#pragma once

// The device nodes of an unpacked layer that an ordinary user could not make, as the file "devices" beside its tree
// (docs/formats/store.md). They are written out again with the layer.

#include "archive/reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::image {

std::string serialise(const std::vector<archive::Entry>& devices);
/// `corrupt` if the text is not such a list.
Result<std::vector<archive::Entry>> parse_devices(std::string_view text);

} // namespace sheaf::image
