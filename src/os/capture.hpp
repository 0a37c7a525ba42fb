// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a program of the host to its end and keeps what it printed.

#include "os/child.hpp"

#include <stop_token>
#include <string>
#include <string_view>

namespace sheaf::os {

struct Captured {
  ExitStatus status;
  std::string output;
  std::string errors;
};

/// `input` is its standard input. `options.descriptors` may not name 0, 1 and 2.
Result<Captured> capture(SpawnOptions options, std::stop_token stop, std::string_view input = {});

} // namespace sheaf::os
