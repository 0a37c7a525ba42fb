// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every overlap of the layers of a stack and what the join makes of it, before any remedy.

#include "app/build_stack.hpp"
#include "builder/join_findings.hpp"

#include <vector>

namespace sheaf::app {

struct JoinExplanation {
  /// In canonical order, the base first.
  std::vector<store::StoredLayer> layers;
  builder::JoinFindings findings;
};

/// Builds what is missing, each layer alone, and looks at their inventories and facts. `conflict` if a layer needs
/// others that cannot be joined.
Result<JoinExplanation> explain_join(const Wanted& wanted, Session session);

} // namespace sheaf::app
