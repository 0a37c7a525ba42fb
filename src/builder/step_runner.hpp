// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carries out the steps of one layer on its lowers, all into one upper directory.

#include "base/event.hpp"
#include "builder/build_log.hpp"
#include "builder/downloads.hpp"
#include "builder/support_files.hpp"
#include "plan/layer_plan.hpp"
#include "sandbox/runtime.hpp"
#include "store/staging.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sheaf::builder {

/// What is done differently when a layer is built to be compared and not to be kept.
struct Trial {
  std::string hostname = "sheaf-build";
  /// A library that shifts the clock of the programs it is loaded into; empty: the clock as it is.
  std::string clock_shifter;
  /// How many processors the steps may use; nothing: all.
  std::optional<unsigned> processors;
  /// Called before every step (from 0), which then runs in a sandbox of its own. May be empty.
  std::function<void(std::size_t)> before_step;
};

/// Where and on what a layer is built.
struct Workbench {
  store::Store& store;
  /// For FETCH and ADD.
  const Downloads& downloads;
  store::Staging& staging;
  /// Bottom first, at least one (an empty directory below a base).
  std::vector<std::string> lowers;
  /// Receives the tree.
  std::string upper;
  const SupportFiles& support;
  std::vector<sandbox::OverlayMount> caches;
  std::int64_t epoch = 0;
  /// Null for a build that is kept.
  const Trial* trial = nullptr;
};

/// Runs every step of `plan` in order. `failed_step` names step, instruction and exit code, and carries the last lines.
Result<void> run_steps(const plan::LayerPlan& plan, const Workbench& bench, sandbox::Runtime& runtime, BuildLog& log,
                       EventSink& events, std::stop_token stop);

} // namespace sheaf::builder
