// SPDX-License-Identifier: Apache-2.0
#include "containerfile/file.hpp"

#include <gmock/gmock.h>

namespace sheaf::containerfile {
namespace {

using testing::ElementsAre;

struct Parsed {
  Diagnostics diagnostics;
  std::optional<File> file;

  explicit Parsed(std::string text) { file = parse(std::make_shared<SourceText>("f", std::move(text)), diagnostics); }
  std::vector<std::string> rules() const {
    std::vector<std::string> rules;
    for (const auto& diagnostic : diagnostics.all()) {
      rules.push_back(diagnostic.rule);
    }
    return rules;
  }
};

TEST(File, HasGlobalArgumentsAndStages) {
  const Parsed parsed("ARG V=1\nFROM a:$V AS One\nRUN x\nFROM one\n");
  ASSERT_TRUE(parsed.file);
  EXPECT_EQ(parsed.file->global_arguments.at(0).name.text, "V");
  ASSERT_EQ(parsed.file->stages.size(), 2U);
  EXPECT_EQ(parsed.file->stages[0].from.alias->text, "one");
  EXPECT_EQ(parsed.file->stages[0].from.image.text, "a:$V");
  EXPECT_EQ(parsed.file->stages[0].instructions.size(), 1U);
}

TEST(File, ReportsEveryMistakeInOneGo) {
  const Parsed parsed("RUN early\nFROM a\nENV X\nCOPY one\nRNU x\nEXPOSE 80\n");
  EXPECT_FALSE(parsed.file);
  EXPECT_THAT(parsed.rules(), ElementsAre("before-from", "missing-value", "missing-argument", "unknown-instruction",
                                          "unsupported-instruction"));
}

TEST(File, WarningsDoNoHarm) {
  const Parsed parsed("FROM a\nENV OLD style\nCMD [\"a\" \"b\"]\n");
  EXPECT_TRUE(parsed.file);
  EXPECT_THAT(parsed.rules(), ElementsAre("legacy-key-value", "json-form"));
}

TEST(File, EarlierErrorsOfOthersDoNotCount) {
  Diagnostics diagnostics;
  diagnostics.error(nullptr, {}, "other", "something else");
  EXPECT_TRUE(parse(std::make_shared<SourceText>("f", "FROM a"), diagnostics));
}

TEST(File, ShowsInstructionsOnOneLine) {
  const Parsed parsed(
      "FROM a\nrun apt-get update \\\n  && apt-get install x\nRUN <<EOF\n\n  one\ntwo\nEOF\nRUN <<EOF\nonly\nEOF\n");
  ASSERT_TRUE(parsed.file);
  std::vector<std::string> shown;
  for (const auto& instruction : parsed.file->stages[0].instructions) {
    shown.emplace_back(display(instruction));
  }
  EXPECT_THAT(shown, ElementsAre("RUN apt-get update && apt-get install x", "RUN <<EOF (one...)", "RUN <<EOF (only)"));
}

TEST(File, AHeredocWithAShebangIsAScript) {
  const Parsed parsed("FROM a\nRUN <<EOF\n#!/bin/python\nx\nEOF\nRUN <<EOF\nx\nEOF\nRUN <<EOF cat\nx\nEOF\n");
  ASSERT_TRUE(parsed.file);
  const auto& instructions = parsed.file->stages[0].instructions;
  EXPECT_EQ(std::get<ScriptCommand>(std::get<containerfile::Run>(instructions[0]).command).text, "#!/bin/python\nx\n");
  EXPECT_EQ(std::get<ShellCommand>(std::get<containerfile::Run>(instructions[1]).command).text, "x\n");
  EXPECT_EQ(std::get<ShellCommand>(std::get<containerfile::Run>(instructions[2]).command).text, "<<EOF cat\nx\nEOF");
}

TEST(File, ExtensionsHaveToBeAskedFor) {
  EXPECT_THAT(Parsed("FROM a\nFETCH x y\n").rules(), ElementsAre("unknown-instruction"));
  EXPECT_THAT(Parsed("# sheaf: extensions\nFROM a\nFETCH x y\n").rules(), ElementsAre("unsupported-instruction"));
}

} // namespace
} // namespace sheaf::containerfile
