// SPDX-License-Identifier: Apache-2.0
#include "builder/stage_state.hpp"

namespace sheaf::builder {

StageState StageState::of(const std::vector<store::TreeRef>& trees) {
  StageState state;
  for (const auto& tree : trees) {
    state.add(tree);
  }
  return state;
}

void StageState::add(const store::StepRecord& step) {
  if (step.files > 0) {
    add(store::TreeRef{step.folder(), step.content});
  }
}

void StageState::add(store::TreeRef tree) {
  m_digest = Sha256().field(m_digest.hex()).field(tree.content.hex()).finish();
  m_trees.push_back(std::move(tree));
}

Digest step_key(const StepInputs& inputs) {
  Sha256 hash;
  hash.field("sheaf-step 1").field(inputs.state.hex()).field(inputs.description).field(inputs.platform);
  for (const auto& read : inputs.reads) {
    hash.field(read);
  }
  return hash.finish();
}

} // namespace sheaf::builder
