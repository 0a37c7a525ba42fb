// SPDX-License-Identifier: Apache-2.0
// What `sheaf test` says of one report, for people, for programs and as JUnit. SHEAF_ACCEPT=1 rewrites the
// expectations.
#include "cli/test_report.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sheaf::cli {
namespace {

using app::TestEnd;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void expect_text(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(SHEAF_TEST_DATA "/golden/cli/test-report") / name;
  if (std::getenv("SHEAF_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  EXPECT_EQ(text, read_file(path)) << name;
}

app::TestReport sample() {
  app::TestReport report;
  report.environments = {
      {{"base"},
       std::vector<std::string>(),
       {{"base", {"id -un", "dev"}, TestEnd::cached, "", "", 0},
        {"base", {"test -w /workspace", ""}, TestEnd::cached, "", "", 0}}},
      {{"base", "node", "python"},
       std::vector<std::string>{"node", "python"},
       {{"base", {"id -un", "dev"}, TestEnd::cached, "", "", 0},
        {"node", {"node --version", "v20."}, TestEnd::failed, app::k_not_expected, "v18.20.4", 41.5},
        {"python",
         {"python3 - <<'END'\nprint(1)\nEND", ""},
         TestEnd::failed,
         "exit code 1",
         "Traceback (most recent call last):\n\033[31mModuleNotFoundError\033[0m: <json> & \"more\"",
         120},
        {"python", {"sleep 100", ""}, TestEnd::failed, "it did not end within 60 s", "", 60012},
        {"python", {"pip3 --version", "pip"}, TestEnd::passed, "", "pip 23.0.1", 350}}},
      {{"base", "zsh"}, std::vector<std::string>{"zsh"}, {}},
      {{"base", "zsh"}, std::nullopt, {{"project", {"make check", ""}, TestEnd::failed, "exit code 2", "", 12.25}}}};
  report.impossible = {"nano, zsh: layer 'nano' (named) conflicts with 'zsh' (named)"};
  return report;
}

TEST(GoldenTestReport, Text) { expect_text("text", test_text(sample(), "sheaf test --enter", Shown::failures)); }
TEST(GoldenTestReport, AllOutput) {
  expect_text("text-verbose", test_text(sample(), "sheaf test --enter -C 'a b'", Shown::everything));
}
TEST(GoldenTestReport, Json) { expect_text("json", test_json(sample())); }
TEST(GoldenTestReport, Junit) { expect_text("junit.xml", test_junit(sample())); }
TEST(GoldenTestReport, NothingAtAll) {
  EXPECT_EQ(test_text({}, "", Shown::failures), "0 tests in 0 environments: 0 passed, 0 cached, 0 failed\n");
}

} // namespace
} // namespace sheaf::cli
