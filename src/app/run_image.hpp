// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a command in an image of the store, as `docker run --rm -it` would: what is written is discarded at the end.

#include "app/build_stack.hpp"
#include "os/child.hpp"

#include <string>
#include <vector>

namespace sheaf::app {

/// `arguments` take the place of the image's CMD and follow its ENTRYPOINT. `not_found` if there is no such image.
Result<os::ExitStatus> run_image(const std::string& name, const std::vector<std::string>& arguments,
                                 const Session& session);

} // namespace sheaf::app
