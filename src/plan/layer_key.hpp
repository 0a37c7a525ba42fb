// SPDX-License-Identifier: Apache-2.0
#pragma once

// The named inputs of a layer's recipe key.

#include "plan/layer_plan.hpp"

#include <map>
#include <string>

namespace sheaf::plan {

/// Digests of the files that some step of the plan reads, by path.
std::map<std::string, std::string> read_files(const LayerPlan& plan);
/// `LayerPlan::inputs` of a plan whose other members are complete.
std::map<std::string, std::string> inputs_of(const LayerPlan& plan);

} // namespace sheaf::plan
