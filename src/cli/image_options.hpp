// SPDX-License-Identifier: Apache-2.0
#pragma once

// The options of `sheaf build` that docker has too: words of the command line to values.

#include "app/build_image.hpp"
#include "cli/command.hpp"

namespace sheaf::cli {

/// `invalid` names the option, what was given, and the form it takes.
Result<app::ImageBuild> image_build_of(const Invocation& invocation);

} // namespace sheaf::cli
