// SPDX-License-Identifier: Apache-2.0
// What the golden cases cannot show: settings. One case for each check is in tests/golden/containerfile/lint.
#include "containerfile/lint.hpp"

#include <gmock/gmock.h>

namespace sheaf::containerfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> rules(std::string text, const LintSettings& settings = {}) {
  Diagnostics diagnostics;
  const auto file = parse(std::make_shared<SourceText>("f", std::move(text)), diagnostics);
  EXPECT_TRUE(file) << diagnostics.render();
  if (file) {
    lint(*file, settings, diagnostics);
  }
  std::vector<std::string> rules;
  for (const auto& one : diagnostics.all()) {
    rules.push_back((one.severity == Severity::error ? "error " : "") + one.rule);
  }
  return rules;
}

TEST(Lint, KnowsNothingOfAnUnknownBaseImage) {
  EXPECT_THAT(rules("FROM a\nUSER $x\nFROM scratch\nUSER $x\n"), ElementsAre("UndefinedVar"));
  EXPECT_THAT(rules("FROM a AS one\nFROM one\nUSER $x\n"), IsEmpty());
}

TEST(Lint, AsksForTheVariablesOfImagesOnly) {
  std::vector<std::size_t> asked;
  LintSettings settings;
  settings.base_variables = [&](std::size_t stage) {
    asked.push_back(stage);
    return std::set<std::string>{"x"};
  };
  EXPECT_THAT(rules("FROM a AS one\nUSER $x\nFROM one\nUSER $x$y\nFROM scratch\nFROM ONE\n", settings),
              ElementsAre("UndefinedVar"));
  EXPECT_THAT(asked, ElementsAre(0U));
}

TEST(Lint, FollowsBuildArgumentsToTheStage) {
  const std::string text = "ARG WHICH=one\nFROM scratch AS one\nENV A=1\nFROM scratch AS two\nFROM $WHICH\nUSER $A\n";
  EXPECT_THAT(rules(text), IsEmpty());
  LintSettings settings;
  settings.build_arguments = {{"WHICH", "two"}};
  EXPECT_THAT(rules(text, settings), ElementsAre("UndefinedVar"));
}

TEST(Lint, ScratchIsNeverAStage) {
  EXPECT_THAT(rules("# check=skip=ReservedStageName\nFROM scratch AS scratch\nENV A=1\nFROM scratch\nUSER $A\n"),
              ElementsAre("UndefinedVar"));
}

TEST(Lint, ALaterStageOfTheSameNameIsMeant) {
  EXPECT_THAT(
      rules("# check=skip=DuplicateStageName\nFROM scratch AS a\nENV A=1\nFROM scratch AS a\nFROM a\nUSER $A\n"),
      ElementsAre("UndefinedVar"));
}

TEST(Lint, TheBuildArgumentReplacesTheDirective) {
  const std::string text = "# check=skip=MaintainerDeprecated;error=true\nFROM a AS B\nMAINTAINER me\n";
  EXPECT_THAT(rules(text), ElementsAre("error StageNameCasing"));
  LintSettings settings;
  settings.check = CheckDirective{};
  settings.check->skip = {"StageNameCasing"};
  EXPECT_THAT(rules(text, settings), ElementsAre("MaintainerDeprecated"));
}

TEST(Lint, ExperimentalChecksHaveToBeAskedFor) {
  EXPECT_THAT(rules("# some base\nFROM a AS b\n"), IsEmpty());
  EXPECT_THAT(rules("# check=skip=all;experimental=all\n\n# some base\nFROM a AS B\n"),
              ElementsAre("InvalidDefinitionDescription"));
}

TEST(Lint, FindsNoIgnoredFileWithoutAnIgnoreFile) { EXPECT_THAT(rules("FROM a\nCOPY x /\n"), IsEmpty()); }

} // namespace
} // namespace sheaf::containerfile
