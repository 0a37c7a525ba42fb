// SPDX-License-Identifier: Apache-2.0
#pragma once

// `sheaf build --shell-on-error`: a shell in the sandbox of a RUN that failed, with what it had written.

#include "base/event.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"

#include <stop_token>

namespace sheaf::app {

/// Returns when the shell ends. Without a terminal it only says so: there is nobody to type.
void open_shell(sandbox::SandboxSpec spec, store::Store& store, sandbox::Runtime& runtime, EventSink& events,
                std::stop_token stop);

} // namespace sheaf::app
