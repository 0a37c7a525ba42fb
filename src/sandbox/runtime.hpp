// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sandbox as the builder and the workspaces see it: a specification in, an exit status out.

#include "os/child.hpp"
#include "os/fd.hpp"
#include "sandbox/spec.hpp"

#include <functional>
#include <memory>
#include <stop_token>

namespace sheaf::sandbox {

/// Where the command's standard streams go; -1 means /dev/null for input and our own stream for the others.
struct Streams {
  int input = -1;
  int output = -1;
  int error = -1;
};

/// How the action ended.
struct Outcome {
  /// Of the last command that ran.
  os::ExitStatus status;
  /// How many commands of the action were started; the last of them is the one that failed, if one did.
  std::size_t started = 0;
};

/// Told, by the thread that called `run`, that the command of this number (from 0) starts now. May be empty.
using OnStart = std::function<void(std::size_t)>;

class Runtime {
public:
  virtual ~Runtime() = default;
  /// Carries out the action and waits for its end; a stop request kills everything inside. An error means that the
  /// sandbox could not be set up; a command that fails is an ExitStatus. Safe from several threads.
  virtual Result<Outcome> run(const SandboxSpec& spec, const Streams& streams, std::stop_token stop,
                              const OnStart& on_start) = 0;
};

/// The default: a single-threaded helper for each sandbox, forked from our own program that was started again with the
/// first one (see zygote.hpp). A sandbox takes a few milliseconds. Ends all sandboxes when it is destroyed.
std::unique_ptr<Runtime> native_runtime();

} // namespace sheaf::sandbox
