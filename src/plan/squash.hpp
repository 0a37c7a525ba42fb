// SPDX-License-Identifier: Apache-2.0
#pragma once

// --squash: an image whose files are one tree, as one more stage that copies all of the target.

#include "plan/image_plan.hpp"

namespace sheaf::plan {

/// Puts a stage on nothing behind the target, which becomes the target: the same configuration, all files in one step.
/// Of the history only the last line has a layer.
void squash(ImagePlan& plan);

} // namespace sheaf::plan
