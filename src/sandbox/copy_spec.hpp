// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a CopyFiles crosses the process boundary. Strings are bytes: the text form of JSON cannot hold all of them.

#include "sandbox/spec.hpp"

#include <nlohmann/json_fwd.hpp>

namespace sheaf::sandbox {

nlohmann::json to_json(const CopyFiles& copy);
/// Throws what nlohmann's accessors throw; parse_spec catches it.
CopyFiles copy_from(const nlohmann::json& json);

} // namespace sheaf::sandbox
