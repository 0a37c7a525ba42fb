// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stack as Dockerfiles for other builders: one file after another (base; toolchains, tools and agents; project), each
// on the image of the one before, in the language that docker, podman and buildah have in common. Pure. Source:
// spec.md, SEL-7.

#include "base/result.hpp"
#include "plan/layer_plan.hpp"

#include <map>
#include <string>
#include <vector>

namespace sheaf::plan {

struct EquivalentNames {
  /// What BASE_IMAGE is where nobody says, for each of the three files.
  std::string base;
  std::string agents_base;
  std::string project_base;
};

/// Relative path to content: "L0.Dockerfile", "L1.cli.Dockerfile", "L2.Dockerfile", and below "layers/NAME/" what their
/// COPYs take. `environment` is the project's own. What is executable starts with "#!". `unsupported` names the layer
/// and the line of what cannot be said for every builder: COPY --parents and --exclude, mounts of secrets.
Result<std::map<std::string, std::string>> equivalent_files(const std::vector<LayerPlan>& plans,
                                                            const EquivalentNames& names,
                                                            const std::map<std::string, std::string>& environment);

} // namespace sheaf::plan
