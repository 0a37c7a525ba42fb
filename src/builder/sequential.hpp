// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stack built the old way, one layer on top of the other: what the join is measured against (law 3). No capture, no
// facts, no join: each layer's steps see the untouched upper directories of all layers before it.

#include "base/event.hpp"
#include "builder/downloads.hpp"
#include "plan/layer_plan.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// A chain of upper directories; removed with the value.
class Chain {
public:
  /// Carries out the steps of `plans` but the first, in order, on the tree of `base`. `plans` is a whole stack in
  /// canonical order and `base` the built layer of its first plan.
  static Result<Chain> build(const std::vector<plan::LayerPlan>& plans, const store::StoredLayer& base,
                             store::Store& store, sandbox::Runtime& runtime, EventSink& events,
                             const Downloads& downloads, std::stop_token stop);

  /// Bottom first, the base's tree included.
  const std::vector<std::string>& lowers() const { return m_lowers; }

private:
  Chain() = default;
  std::vector<store::Staging> m_stagings;
  std::vector<std::string> m_lowers;
};

} // namespace sheaf::builder
