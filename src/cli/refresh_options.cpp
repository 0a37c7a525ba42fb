// SPDX-License-Identifier: Apache-2.0
#include "cli/refresh_options.hpp"

#include "app/refresh.hpp"

namespace sheaf::cli {
namespace {

bool wants_everything(const Invocation& invocation) {
  return invocation.has("full-rebuild") || invocation.has("force-rebuild");
}

} // namespace

bool wants_refresh(const Invocation& invocation) {
  return invocation.has("refresh-agents") || wants_everything(invocation);
}

Result<void> refresh_first(const Invocation& invocation, const app::Choices& choices, const app::Session& session) {
  if (!wants_refresh(invocation)) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto refreshed, app::refresh(choices, {{}, wants_everything(invocation)}, session));
  for (const auto& one : refreshed) {
    session.events.emit({EventKind::note, "refresh", app::describe(one)});
  }
  return {};
}

} // namespace sheaf::cli
