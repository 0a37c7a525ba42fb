// SPDX-License-Identifier: Apache-2.0
#pragma once

// SNAPSHOT: a path that must be there, and that a layer keeps whatever the capture table says.

#include "base/capture_rule.hpp"
#include "base/result.hpp"
#include "plan/step.hpp"

#include <string>
#include <vector>

namespace sheaf::builder {

/// `not_found` if the root made of `trees` (bottom first, none for an empty one) has nothing at the path.
Result<void> check_snapshot(const plan::SnapshotStep& snapshot, const std::vector<std::string>& trees);

/// Rows that go before all others: what the SNAPSHOTs among `steps` name, by the path as it is written and by the one
/// that the links of the root lead to, is kept with all that is in it.
Result<std::vector<CaptureRule>> snapshot_rules(const std::vector<plan::Step>& steps,
                                                const std::vector<std::string>& trees);

} // namespace sheaf::builder
