// SPDX-License-Identifier: Apache-2.0
#pragma once

// How builds reach the network: URLs by our HTTP client, repositories by git(1).

#include "builder/downloads.hpp"

namespace sheaf::app {

builder::Downloads downloads();

} // namespace sheaf::app
