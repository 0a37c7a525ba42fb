// SPDX-License-Identifier: Apache-2.0
#pragma once

// CopyFiles as bytes, a part of the whole specification (see spec.cpp).

#include "base/result.hpp"
#include "sandbox/spec.hpp"

#include <string>
#include <string_view>

namespace sheaf::sandbox {

/// CBOR; paths may hold any bytes.
std::string serialise(const CopyFiles& copy);
/// `internal` for anything that serialise did not make.
Result<CopyFiles> parse_copy(std::string_view bytes);

} // namespace sheaf::sandbox
