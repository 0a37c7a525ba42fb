// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "cli/test_report.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace sheaf::cli {
namespace {

/// As of `sheaf verify`: what was looked at is not as it should be.
constexpr int k_not_so = 1;
constexpr unsigned k_longest_limit = 86400;

constexpr std::array k_options = {
    k_directory_option,
    k_agents_option,
    k_layers_option,
    k_base_option,
    Option{"combinations", 0, "N", "each selection of at most N of the layers, 'pairs' (2), or 'all'"},
    Option{"no-cache", 0, "", "run also what passed before on the same content"},
    Option{"timeout", 0, "SECONDS", "how long one test may take (default: 60)"},
    Option{"junit", 0, "FILE", "write the results as JUnit XML, too"},
    Option{"enter", 0, "", "open a shell where the tests would run, instead of running them"},
    Option{"jobs", 'j', "N", "layers built, and tests run, at the same time (default: 4)"},
    k_json_option};
constexpr std::array<std::string_view, 5> k_examples = {
    "sheaf test", "sheaf test python node", "sheaf test --combinations all python,node,go",
    "sheaf test --junit report.xml", "sheaf test --enter python,node"};

/// "a,b" is one environment of both.
Result<std::vector<std::vector<std::string>>> selections_of(const std::vector<std::string>& operands) {
  std::vector<std::vector<std::string>> selections;
  for (const auto& operand : operands) {
    auto& names = selections.emplace_back();
    for (const auto word : split(operand, ',')) {
      if (!trim(word).empty()) {
        names.emplace_back(trim(word));
      }
    }
    if (names.empty()) {
      return Error(ErrorCode::invalid, fmt::format("'{}' names no layer", operand)).with_hint("sheaf test a,b");
    }
  }
  return selections;
}

Result<std::optional<std::size_t>> combined(const Invocation& invocation) {
  const auto text = invocation.value("combinations");
  if (!text) {
    return std::optional<std::size_t>();
  }
  if (*text == "all") {
    return std::optional(std::numeric_limits<std::size_t>::max());
  }
  const auto number = *text == "pairs" ? std::optional<std::size_t>(2) : to_number<std::size_t>(*text);
  if (!number || *number < 1) {
    return Error(ErrorCode::invalid,
                 fmt::format("'--combinations {}' is neither a number from 1 nor 'pairs' or 'all'", *text))
        .with_hint("'--combinations 2' tests each layer alone and every two of them together");
  }
  return number;
}

Result<std::chrono::seconds> limit_of(const Invocation& invocation) {
  const auto text = invocation.value("timeout");
  const auto seconds = text ? to_number<unsigned>(*text) : 60;
  if (!seconds || *seconds < 1 || *seconds > k_longest_limit) {
    return Error(ErrorCode::invalid,
                 fmt::format("'--timeout {}' is not a number of seconds from 1 to {}", *text, k_longest_limit));
  }
  return std::chrono::seconds(*seconds);
}

Result<app::TestRequest> request_of(const Invocation& invocation) {
  app::TestRequest request;
  SHEAF_TRY_ASSIGN(request.selections, selections_of(invocation.operands));
  SHEAF_TRY_ASSIGN(request.combined, combined(invocation));
  SHEAF_TRY_ASSIGN(request.limit, limit_of(invocation));
  request.anew = invocation.has("no-cache");
  for (const auto* option : {"agents", "layers"}) {
    if (!request.selections.empty() && invocation.has(option)) {
      return Error(ErrorCode::invalid, fmt::format("named layers and '--{}' exclude each other", option))
          .with_hint("a named layer is tested alone with what it needs, whatever the project selects");
    }
  }
  if (invocation.has("enter") && (request.combined || request.selections.size() > 1)) {
    return Error(ErrorCode::invalid, "'--enter' takes one environment")
        .with_hint("sheaf test --enter a,b is the one in which both layers are");
  }
  return request;
}

/// The command that leads to an environment of this run; a selection is added to it.
std::string enter_command(const Invocation& invocation) {
  std::vector<std::string> words = {"sheaf", "test", "--enter"};
  for (const auto* option : {"directory", "base", "agents", "layers"}) {
    if (const auto value = invocation.value(option)) {
      words.insert(words.end(), {std::string("--") + option, *value});
    }
  }
  return shell_join(words);
}

Result<int> test(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(const auto request, request_of(invocation));
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  if (invocation.has("enter")) {
    Interrupts::leave_keyboard_to_command();
    const auto selection = request.selections.empty() ? std::nullopt : std::optional(request.selections.front());
    SHEAF_TRY_ASSIGN(const auto status, app::enter_test_environment(invocation.choices(), selection, session));
    return status.as_shell();
  }
  SHEAF_TRY_ASSIGN(const auto report, app::run_tests(invocation.choices(), request, session));
  if (const auto file = invocation.value("junit")) {
    SHEAF_TRY(os::write_file(*file, test_junit(report)).context("writing the JUnit report"));
  }
  const auto shown = invocation.has("verbose") ? Shown::everything : Shown::failures;
  Invocation::print(invocation.json() ? test_json(report) : test_text(report, enter_command(invocation), shown));
  return report.count(app::TestEnd::failed) == 0 ? 0 : k_not_so;
}

} // namespace

const Command k_test = {
    "test",
    "run the tests of layers in the environment they are part of",
    "Runs what 'tests' says in layer.yml and sheaf.yml, each test in a sandbox of its own: as user 'dev', in an empty "
    "/workspace, without a network. Without a LAYER the project's environment is tested: the tests of all its layers "
    "and "
    "of the project. Each LAYER is an environment of its own, with what it needs; 'a,b' is one of both. With "
    "--combinations every selection of the named layers (default: those of the project) is composed and tested. A test "
    "that passed before on the same content is not run again. The exit status is 1 if a test failed.",
    {"[LAYER[,LAYER…]…]", 0, 1000},
    k_options,
    k_examples,
    test};

} // namespace sheaf::cli
