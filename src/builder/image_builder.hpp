// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carries out an image plan: independent stages at the same time, each step looked up by its key before it is run.

#include "base/event.hpp"
#include "builder/downloads.hpp"
#include "builder/step_cache.hpp"
#include "plan/image_plan.hpp"
#include "sandbox/runtime.hpp"
#include "store/image_record.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "context/ignore_patterns.hpp"

namespace sheaf::builder {

/// A folder that files are copied from.
struct ContextFolder {
  std::string path;
  /// The text of its .dockerignore; empty for none.
  std::string ignore;
};

/// What the plan's names stand for, and what the host lends to the steps.
struct ImageInputs {
  /// Nothing: the build has no context, and a COPY from it fails.
  std::optional<ContextFolder> context;
  std::map<std::string, ContextFolder, std::less<>> named_contexts;
  std::map<std::string, store::ImageRecord, std::less<>> images;
  /// Reads a secret when a step needs it; by id.
  std::map<std::string, std::function<Result<std::string>()>, std::less<>> secrets;
  /// Paths of agents' sockets, by id.
  std::map<std::string, std::string, std::less<>> ssh_agents;
  Downloads downloads;
  /// Lines for /etc/hosts: name, address.
  std::vector<std::pair<std::string, std::string>> hosts;
  std::vector<sandbox::ResourceLimit> limits;
  std::optional<std::uint64_t> shared_memory;
  /// SOURCE_DATE_EPOCH: younger times in results become this one. Nothing keeps them.
  std::optional<std::int64_t> epoch;
  /// Called when a command fails, with the sandbox as the command had it; for --shell-on-error. May be empty.
  std::function<void(const sandbox::SandboxSpec&)> on_failure;
  /// Steps at the same time; at least 1.
  unsigned jobs = 4;
  /// Look for token shapes in what steps write (BLD-7).
  bool scan_for_secrets = true;
  /// Whether commands of a platform can be run here; empty: all can.
  std::function<bool(const plan::Platform&)> runs_here;
  /// Asked for steps that the store does not know.
  StepCache step_cache;
};

struct BuiltImage {
  store::ImageRecord record;
  std::size_t steps_run = 0;
  std::size_t steps_reused = 0;
  /// Of those reused: how many a cache answered for.
  std::size_t steps_borrowed = 0;
  /// All steps that later builds may ask for, once each, in the order in which they ended. Those of a cache may be
  /// without a tree in the store, unless the image has it.
  std::vector<UsedStep> steps;
  SelectionDigests selections;
};

/// A stage that fails ends the others, as with BuildKit; its error comes back. What was built stays in the cache.
Result<BuiltImage> build_image(const plan::ImagePlan& plan, const ImageInputs& inputs, store::Store& store,
                               sandbox::Runtime& runtime, EventSink& events, std::stop_token stop);

} // namespace sheaf::builder
