// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `sheaf test` found, for people, for programs and for the pages of CI systems. Pure.

#include "app/layer_tests.hpp"

#include <string>

namespace sheaf::cli {

/// Which output of tests is shown: of those that failed, or of those that passed, too.
enum class Shown { failures, everything };

/// One line per test, below its environment; with `Shown::failures` environments in which all tests were cached take
/// one line. Behind a failure: what was expected, the last lines of the output, and `enter` followed by the selection,
/// a command that opens a shell there ("sheaf test --enter").
std::string test_text(const app::TestReport& report, const std::string& enter, Shown shown);

/// {"environments": [{"layers", "selection", "tests": [{"layer", "command", "expect", "end", "why", "output", "ms"}]}],
/// "impossible", "passed", "cached", "failed"}
std::string test_json(const app::TestReport& report);

/// A JUnit document: a testsuite per environment, named by its layers; a testcase per test, its layer as the class.
/// Source: the format that Jenkins' JUnit plugin reads, also GitLab, GitHub's actions and others.
std::string test_junit(const app::TestReport& report);

} // namespace sheaf::cli
