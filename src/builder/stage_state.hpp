// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a stage is after some of its steps: its trees, and the digest of their contents that the next step's key begins
// with. Why by content: docs/decisions/0013-steps-are-keyed-by-content.md.

#include "base/digest.hpp"
#include "store/image_record.hpp"
#include "store/step_record.hpp"

#include <string>
#include <vector>

namespace sheaf::builder {

class StageState {
public:
  /// Of an image; empty trees: of scratch.
  static StageState of(const std::vector<store::TreeRef>& trees);
  /// A step that changed nothing leaves all as it is.
  void add(const store::StepRecord& step);

  /// Bottom first.
  const std::vector<store::TreeRef>& trees() const { return m_trees; }
  /// Equal for equal contents of the trees, wherever they come from.
  const Digest& digest() const { return m_digest; }

private:
  void add(store::TreeRef tree);
  std::vector<store::TreeRef> m_trees;
  Digest m_digest = Digest::of("sheaf-state 1");
};

/// All that decides what a step gives.
struct StepInputs {
  /// Of what lies below; of nothing for a step that does not look at it.
  Digest state;
  /// plan::describe of it.
  std::string description;
  std::string platform;
  /// Digests, checksums and versions of what it reads, and settings, in a fixed order.
  std::vector<std::string> reads;
};
Digest step_key(const StepInputs& inputs);

} // namespace sheaf::builder
