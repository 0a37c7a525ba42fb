// SPDX-License-Identifier: Apache-2.0
#include "cli/test_report.hpp"

#include "base/text.hpp"
#include "base/xml.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sheaf::cli {
namespace {

using app::TestedEnvironment;
using app::TestEnd;
using app::TestReport;
using app::TestResult;
using Json = nlohmann::json;

std::string_view to_string(TestEnd end) {
  switch (end) {
  case TestEnd::passed:
    return "passed";
  case TestEnd::cached:
    return "cached";
  case TestEnd::failed:
    return "failed";
  }
  return "";
}

/// Of a command only the first line: it is a title here.
std::string title(const std::string& command) {
  const auto end = command.find('\n');
  return end == std::string::npos ? command : command.substr(0, end) + " …";
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  for (const auto line : lines_of(text)) {
    out += fmt::format("{}{}\n", indent, line);
  }
  return out;
}

std::string output_text(const TestResult& test) {
  return test.output.empty() ? "      it printed nothing\n" : indented(test.output, "      | ");
}

std::string enter_command(const TestedEnvironment& environment, const std::string& enter) {
  if (!environment.selection) {
    return enter;
  }
  // The base alone is selected by its own name.
  const auto& selection = *environment.selection;
  return fmt::format("{} {}", enter, selection.empty() ? environment.layers.front() : joined(selection, ","));
}

std::string failure_text(const TestedEnvironment& environment, const TestResult& test, const std::string& enter) {
  auto text = fmt::format("      {}\n", test.why);
  if (!test.test.expect.empty()) {
    text += fmt::format("      expected: {}\n", title(test.test.expect));
  }
  return text + output_text(test) + fmt::format("      to look at it: {}\n", enter_command(environment, enter));
}

std::string name_of(const TestedEnvironment& environment) { return joined(environment.layers, " "); }

std::string environment_text(const TestedEnvironment& environment, const std::string& enter, Shown shown) {
  auto text = fmt::format("{}\n", name_of(environment));
  const auto is_cached = [](const TestResult& test) { return test.end == TestEnd::cached; };
  if (shown == Shown::failures && std::ranges::all_of(environment.tests, is_cached)) {
    const auto count = environment.tests.size();
    return text + (count == 0 ? "  no tests\n" : fmt::format("  cached  all {}\n", count));
  }
  std::size_t width = 0;
  for (const auto& test : environment.tests) {
    width = std::max(width, test.layer.size());
  }
  for (const auto& test : environment.tests) {
    const auto time = is_cached(test) ? "" : fmt::format("  ({})", human_milliseconds(test.milliseconds));
    text += fmt::format("  {}  {:<{}}  {}{}\n", test.end == TestEnd::failed ? "FAILED" : to_string(test.end),
                        test.layer, width, title(test.test.command), time);
    if (test.end == TestEnd::failed) {
      text += failure_text(environment, test, enter);
    } else if (shown == Shown::everything && !is_cached(test)) {
      text += output_text(test);
    }
  }
  return text;
}

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

double seconds_of(const TestedEnvironment& environment) {
  double sum = 0;
  for (const auto& test : environment.tests) {
    sum += test.milliseconds;
  }
  return sum / 1000;
}

std::size_t failures_of(const TestedEnvironment& environment) {
  return static_cast<std::size_t>(std::ranges::count(environment.tests, TestEnd::failed, &TestResult::end));
}

std::string testcase(const TestResult& test) {
  auto text = fmt::format("    <testcase classname={} name={} time=\"{:.3f}\"", xml_attribute(test.layer),
                          xml_attribute(test.test.command), test.milliseconds / 1000);
  if (test.end == TestEnd::failed) {
    const auto expected = test.test.expect.empty() ? "" : fmt::format("expected: {}\n", test.test.expect);
    return text + fmt::format(">\n      <failure message={}>{}</failure>\n    </testcase>\n", xml_attribute(test.why),
                              xml_text(expected + test.output));
  }
  const auto output = test.end == TestEnd::cached ? "it passed before, on the same content" : test.output;
  return text + (output.empty()
                     ? "/>\n"
                     : fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n", xml_text(output)));
}

} // namespace

std::string test_text(const TestReport& report, const std::string& enter, Shown shown) {
  std::string text;
  for (const auto& environment : report.environments) {
    text += environment_text(environment, enter, shown);
  }
  for (const auto& impossible : report.impossible) {
    text += fmt::format("left out: {}\n", impossible);
  }
  const auto passed = report.count(TestEnd::passed);
  const auto cached = report.count(TestEnd::cached);
  const auto failed = report.count(TestEnd::failed);
  const auto environments = report.environments.size();
  return text + fmt::format("{} {} in {} {}: {} passed, {} cached, {} failed\n", passed + cached + failed,
                            passed + cached + failed == 1 ? "test" : "tests", environments,
                            environments == 1 ? "environment" : "environments", passed, cached, failed);
}

std::string test_json(const TestReport& report) {
  Json environments = Json::array();
  for (const auto& environment : report.environments) {
    Json tests = Json::array();
    for (const auto& test : environment.tests) {
      tests.push_back({{"layer", test.layer},
                       {"command", test.test.command},
                       {"expect", or_null(test.test.expect)},
                       {"end", to_string(test.end)},
                       {"why", or_null(test.why)},
                       {"output", or_null(test.output)},
                       {"ms", test.milliseconds}});
    }
    environments.push_back({{"layers", environment.layers},
                            {"selection", environment.selection ? Json(*environment.selection) : Json(nullptr)},
                            {"tests", std::move(tests)}});
  }
  const Json root = {{"environments", std::move(environments)},
                     {"impossible", report.impossible},
                     {"passed", report.count(TestEnd::passed)},
                     {"cached", report.count(TestEnd::cached)},
                     {"failed", report.count(TestEnd::failed)}};
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string test_junit(const TestReport& report) {
  std::string suites;
  std::size_t tests = 0;
  double seconds = 0;
  for (const auto& environment : report.environments) {
    tests += environment.tests.size();
    seconds += seconds_of(environment);
    suites +=
        fmt::format("  <testsuite name={} tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.3f}\">\n",
                    xml_attribute(name_of(environment)), environment.tests.size(), failures_of(environment),
                    seconds_of(environment));
    for (const auto& test : environment.tests) {
      suites += testcase(test);
    }
    suites += "  </testsuite>\n";
  }
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuites name=\"sheaf test\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3f}\">\n"
                     "{}</testsuites>\n",
                     tests, report.count(TestEnd::failed), seconds, suites);
}

} // namespace sheaf::cli
