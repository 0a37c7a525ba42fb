// SPDX-License-Identifier: Apache-2.0
#pragma once

// One test in one environment: run in a sandbox of its own, or known to pass.

#include "app/environment.hpp"
#include "app/layer_tests.hpp"
#include "base/digest.hpp"
#include "sandbox/runtime.hpp"
#include "store/store.hpp"
#include "workspace/workspace.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace sheaf::app {

/// An environment to test in. What it holds is told by content, so that one that was made anew from the same layers is
/// the same one.
struct TestPlace {
  Environment environment;
  /// Names the join layer: its key, empty if there is none.
  std::string join;
};

/// Everything that decides how `test` ends: the layers by content, their join, the configuration that commands see, the
/// test itself.
Digest test_key(const TestPlace& place, const catalogue::LayerTest& test);

/// The tests of `place` that passed before, as files tests/<key> of the store (docs/formats/store.md).
bool passed_before(const store::Store& store, const Digest& key);
Result<void> remember_passed(const store::Store& store, const Digest& key, const std::string& layer,
                             const catalogue::LayerTest& test, double milliseconds);

/// Runs `test` as the environment's user, by /bin/sh, in an empty /workspace, without a network, with nothing to read.
/// What it writes is discarded. `cancelled` if `stop` was asked for.
Result<TestResult> run_test(const TestPlace& place, const std::string& layer, const catalogue::LayerTest& test,
                            std::chrono::seconds limit, const Session& session, sandbox::Runtime& runtime);

/// The request for a command in the surroundings of tests; the folder at /workspace is made below `staging`.
Result<workspace::RunRequest> test_surroundings(const Environment& environment, const store::Staging& staging);

} // namespace sheaf::app
