// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a layer is made of, in words, for its record and for whoever asks what changed since.

#include "plan/layer_plan.hpp"
#include "store/layer_record.hpp"

#include <map>

namespace sheaf::builder {

/// `closure` has the content keys of the layers it is built on, as far as they are known.
store::Recipe recipe_of(const plan::LayerPlan& plan, const std::map<std::string, ContentKey>& closure);

} // namespace sheaf::builder
