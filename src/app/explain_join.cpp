// SPDX-License-Identifier: Apache-2.0
#include "app/explain_join.hpp"

#include "app/network.hpp"
#include "builder/builder.hpp"
#include "sandbox/runtime.hpp"

#include <utility>

namespace sheaf::app {

Result<JoinExplanation> explain_join(const Wanted& wanted, Session session) {
  const auto runtime = sandbox::native_runtime();
  SHEAF_TRY_ASSIGN(auto outcome, builder::build_layers(wanted.plans, session.store, *runtime, session.events,
                                                       {session.jobs, downloads()}, session.stop));
  if (!outcome.conflicts.empty()) {
    return builder::conflict_error(outcome.conflicts);
  }
  SHEAF_TRY_ASSIGN(auto findings, builder::examine_join(outcome.layers, layer::Detail::every_overlap));
  return JoinExplanation{std::move(outcome.layers), std::move(findings)};
}

} // namespace sheaf::app
