// SPDX-License-Identifier: Apache-2.0
#pragma once

// `sheaf test`: composes environments and runs in each the tests of its layers. What passed on the same content before
// is not run again (docs/decisions/0024-tests-are-cached-by-content.md).

#include "app/build_stack.hpp"
#include "catalogue/layer_definition.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sheaf::app {

struct TestRequest {
  /// Each is one environment: these layers and what they need, without the project's settings. Empty: the project's own
  /// stack.
  std::vector<std::vector<std::string>> selections;
  /// Every selection of at most so many of the layers (of all in `selections`, else of those that the project wants).
  std::optional<std::size_t> combined;
  /// How long one test may take.
  std::chrono::seconds limit{60};
  /// Run also what passed before.
  bool anew = false;
};

enum class TestEnd {
  passed,
  cached, ///< it passed before, on the same content
  failed,
};

struct TestResult {
  /// Whose test it is; "project" for the tests of `sheaf.yml`.
  std::string layer;
  catalogue::LayerTest test;
  TestEnd end = TestEnd::passed;
  /// Why it failed: "exit code 2", "the output does not contain what is expected"; else empty.
  std::string why;
  /// The last that it printed, whole lines; empty if it was not run.
  std::string output;
  double milliseconds = 0;
};

struct TestedEnvironment {
  /// The stack, the base first.
  std::vector<std::string> layers;
  /// The layers that were asked for; nothing for the project's own stack.
  std::optional<std::vector<std::string>> selection;
  /// In the order of the stack and of each layer's list.
  std::vector<TestResult> tests;
};

struct TestReport {
  std::vector<TestedEnvironment> environments;
  /// Combinations that cannot be, with the reason.
  std::vector<std::string> impossible;

  std::size_t count(TestEnd end) const;
};

/// What is said of a test that printed something else; JUnit and people tell it from a bad exit status.
inline constexpr const char* k_not_expected = "the output does not contain what is expected";

/// Builds what is missing, composes every environment and runs its tests, several at a time. A test that fails is part
/// of the report; an error is what stands in the way of testing, as `make_ready` has it.
Result<TestReport> run_tests(const Choices& choices, const TestRequest& request, const Session& session);

/// Opens a shell, with the caller's terminal, where the tests of that environment run: an empty /workspace, no network.
/// `selection`: as one of `TestRequest::selections`; nothing for the project's own stack.
Result<os::ExitStatus> enter_test_environment(const Choices& choices,
                                              const std::optional<std::vector<std::string>>& selection,
                                              const Session& session);

} // namespace sheaf::app
