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
  const Parsed parsed("RUN early\nFROM a\nENV X\nCOPY one\nRNU x\nEXPOSE http\n");
  EXPECT_FALSE(parsed.file);
  EXPECT_THAT(parsed.rules(),
              ElementsAre("before-from", "missing-value", "missing-argument", "unknown-instruction", "bad-port"));
}

TEST(File, WarningsDoNoHarm) {
  const Parsed parsed("FROM a\nENV OLD style\nCMD [\"a\" \"b\"]\n");
  EXPECT_TRUE(parsed.file);
  EXPECT_THAT(parsed.rules(), ElementsAre("json-form"));
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
  EXPECT_TRUE(Parsed("# sheaf: extensions\nFROM a\nFETCH https://x/y z\nSNAPSHOT /z\n").file);
}

TEST(File, AStageNameMayBeGivenTwice) {
  const Parsed parsed("FROM a AS one\nFROM b AS one\n");
  ASSERT_TRUE(parsed.file);
  EXPECT_TRUE(parsed.rules().empty()); // it is for lint to say so
}

TEST(File, CarriesTheCheckDirective) {
  const Parsed parsed("# check=skip=StageNameCasing, FromAsCasing;error=true\nFROM a\n");
  ASSERT_TRUE(parsed.file);
  EXPECT_TRUE(parsed.file->check.error);
  EXPECT_FALSE(parsed.file->check.skip_all);
  EXPECT_THAT(parsed.file->check.skip, ElementsAre("FromAsCasing", "StageNameCasing"));
}

TEST(File, KnowsTheUsualFrontends) {
  for (const auto* image : {"docker/dockerfile:1", "docker.io/docker/dockerfile:1.7-labs", "docker/dockerfile"}) {
    EXPECT_TRUE(Parsed(std::string("# syntax=") + image + "\nFROM a\n").rules().empty()) << image;
  }
  for (const auto* image : {"docker/dockerfile-upstream:1", "docker.io/", "example.com/docker/dockerfile:1"}) {
    EXPECT_THAT(Parsed(std::string("# syntax=") + image + "\nFROM a\n").rules(), ElementsAre("syntax-ignored"))
        << image;
  }
}

TEST(File, KeepsCommentsThatStandRightAbove) {
  const Parsed parsed("# lost\n\n# one\n# two\nFROM a\n# three\nARG x y\n");
  ASSERT_TRUE(parsed.file);
  const auto& from = parsed.file->stages[0].from;
  ASSERT_EQ(from.comments.size(), 2U);
  EXPECT_EQ(from.comments[0].text, "one");
  EXPECT_EQ(from.comments[1].span, (Span{16, 19}));
  EXPECT_EQ(std::get<Arg>(parsed.file->stages[0].instructions[1]).comments.at(0).text, "three");
}

TEST(File, AnOnbuildIsCheckedAtItsPlace) {
  const Parsed parsed("FROM a\nONBUILD COPY \\\n  --form=x a b\n");
  ASSERT_EQ(parsed.rules(), std::vector<std::string>{"unknown-flag"});
  EXPECT_EQ(parsed.diagnostics.all()[0].source->position(parsed.diagnostics.all()[0].span.begin), (Position{3, 3}));
}

struct Triggered {
  Diagnostics diagnostics;
  std::optional<Trigger> trigger;

  explicit Triggered(std::string text) { trigger = parse_trigger("ONBUILD of x", std::move(text), diagnostics); }
  std::string rule() const { return diagnostics.all().empty() ? "" : diagnostics.all()[0].rule; }
};

TEST(Trigger, IsOneInstruction) {
  const Triggered run("RUN <<EOF\necho one\nEOF");
  ASSERT_TRUE(run.trigger);
  ASSERT_EQ(run.trigger->instructions.size(), 1U);
  EXPECT_EQ(std::get<ShellCommand>(std::get<containerfile::Run>(run.trigger->instructions[0]).command).text,
            "echo one\n");
  EXPECT_EQ(run.trigger->source->name(), "ONBUILD of x");
  const Triggered arg("ARG a b=1");
  ASSERT_TRUE(arg.trigger);
  EXPECT_EQ(arg.trigger->instructions.size(), 2U);
}

TEST(Trigger, RefusesWhatCannotBeOne) {
  for (const auto* text : {"", "# only a comment", "RUN a\nRUN b", "FROM a", "onbuild RUN a", "MAINTAINER me"}) {
    const Triggered triggered(text);
    EXPECT_FALSE(triggered.trigger) << text;
    EXPECT_EQ(triggered.rule(), "bad-trigger") << text;
  }
  EXPECT_EQ(Triggered("RNU x").rule(), "unknown-instruction");
  EXPECT_EQ(Triggered("COPY one").rule(), "missing-argument");
}

TEST(Trigger, WhatOnbuildKeepsIsReadAgain) {
  const Parsed parsed("FROM a\nONBUILD COPY <<-one <<'two' /dst/\n\ta $x\n\tone\nb $y\ntwo\n");
  ASSERT_TRUE(parsed.file);
  const Triggered again(std::get<Onbuild>(parsed.file->stages[0].instructions[0]).instruction.text);
  ASSERT_TRUE(again.trigger) << again.diagnostics.render();
  const auto& copy = std::get<Copy>(again.trigger->instructions[0]);
  ASSERT_EQ(copy.inline_files.size(), 2U);
  EXPECT_EQ(copy.inline_files[0].content, "a $x\n");
  EXPECT_TRUE(copy.inline_files[0].expand);
  EXPECT_EQ(copy.inline_files[1].content, "b $y\n");
  EXPECT_FALSE(copy.inline_files[1].expand);
}

} // namespace
} // namespace sheaf::containerfile
