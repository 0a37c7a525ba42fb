// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options of commands that make an environment ready: whether it may differ from what was locked, and what is built
// anew first.

#include "app/build_stack.hpp"
#include "cli/command.hpp"

namespace sheaf::cli {

inline constexpr Option k_locked_option = {"locked", 0, "", "refuse to differ from sheaf.lock"};
inline constexpr Option k_refresh_agents_option = {"refresh-agents", 0, "",
                                                   "first build volatile layers anew, with their newest versions"};
inline constexpr Option k_full_rebuild_option = {
    "full-rebuild", 0, "", "first build all layers anew, on a fresh base (also: --force-rebuild)"};
inline constexpr Option k_force_rebuild_option = {"force-rebuild", 0, "", "as --full-rebuild"};

/// Was one of the options given that build something anew?
bool wants_refresh(const Invocation& invocation);
/// Builds anew what the options ask for, and emits what became of it.
Result<void> refresh_first(const Invocation& invocation, const app::Choices& choices, const app::Session& session);

} // namespace sheaf::cli
