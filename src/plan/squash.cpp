// SPDX-License-Identifier: Apache-2.0
#include "plan/squash.hpp"

#include <utility>

namespace sheaf::plan {

void squash(ImagePlan& plan) {
  const auto& target = plan.stages[plan.target];
  StagePlan squashed;
  squashed.name = target.name + "-squashed";
  squashed.base.kind = Source::Kind::nothing;
  squashed.platform = target.platform;
  squashed.image = target.image;
  squashed.no_cache = target.no_cache;
  squashed.needs = {plan.target};
  CopyStep copy;
  copy.from = {Source::Kind::stage, {}, plan.target};
  copy.sources = {PathSource{"."}};
  copy.destination = "/";
  squashed.steps = {{"squash: all files of stage " + target.name, 0, std::move(copy)}};
  for (auto& line : squashed.image.history) {
    line.empty_layer = true;
  }
  squashed.image.history.push_back({"squash", "sheaf", false});
  plan.target = plan.stages.size();
  plan.stages.push_back(std::move(squashed));
}

} // namespace sheaf::plan
