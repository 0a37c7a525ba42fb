// SPDX-License-Identifier: Apache-2.0
#include "plan/layer_plan.hpp"
#include "plan/stage_words.hpp"

#include <gmock/gmock.h>

#include "unit/plan/plan_support.hpp"

namespace sheaf::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(LayerPlan, TurnsInstructionsIntoSteps) {
  const auto plan = plan_one("WORKDIR /srv\nUSER dev\nRUN make\nRUN [\"make\", \"a b\"]\n");
  ASSERT_EQ(plan.steps.size(), 3U);
  EXPECT_EQ(action<MakeDirectoryStep>(plan, 0).path, "/srv");
  const auto& run = action<RunStep>(plan, 1);
  EXPECT_THAT(run.argv, ElementsAre("/bin/sh", "-c", "make"));
  EXPECT_EQ(run.directory, "/srv");
  EXPECT_EQ(run.user, "dev");
  EXPECT_EQ(plan.steps[1].display, "RUN make");
  EXPECT_EQ(plan.steps[1].line, 5U);
  EXPECT_THAT(action<RunStep>(plan, 2).argv, ElementsAre("make", "a b"));
}

TEST(LayerPlan, OnlyBaseAndProjectSayHowAnEnvironmentStarts) {
  const std::string text =
      "WORKDIR /srv\nUSER dev\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\nSHELL [\"/s\"]\nENV A=1\nLABEL l=1\n";
  const auto config = project_config(text);
  EXPECT_EQ(config.user, "dev");
  EXPECT_EQ(config.directory, "/srv");
  EXPECT_THAT(config.command, ElementsAre("c"));
  EXPECT_THAT(config.entrypoint, ElementsAre("e"));
  EXPECT_THAT(config.shell, ElementsAre("/s"));
  ConfigDelta of_tool;
  of_tool.environment = {{"A", "1"}};
  of_tool.labels = {{"l", "1"}};
  EXPECT_EQ(plan_one(text).config, of_tool);
  EXPECT_EQ(plan_one("ENV A=1\nLABEL l=1\n", "command: [run]\n").config, of_tool);
}

TEST(LayerPlan, WithoutWorkdirItIsTheRoot) { EXPECT_EQ(action<RunStep>(plan_one("RUN x\n"), 0).directory, "/"); }

TEST(LayerPlan, RelativeWorkdirsBuildOnEachOther) {
  const auto plan = plan_one("WORKDIR a\nWORKDIR b/../c\nWORKDIR ../../..\nRUN x\n");
  ASSERT_EQ(plan.steps.size(), 3U); // the root need not be made
  EXPECT_EQ(action<MakeDirectoryStep>(plan, 0).path, "/a");
  EXPECT_EQ(action<MakeDirectoryStep>(plan, 1).path, "/a/c");
  EXPECT_EQ(action<RunStep>(plan, 2).directory, "/");
}

TEST(LayerPlan, ExpandsWhatEnvAndArgSay) {
  const auto plan = plan_one("ARG V=1\nENV A=${V}x B=$A\nENV C=$A\nWORKDIR /o/$A/${V}\nRUN echo $A\nLABEL l=$C\n");
  EXPECT_THAT(plan.config.environment, ElementsAre(Pair("A", "1x"), Pair("B", ""), Pair("C", "1x")));
  EXPECT_EQ(action<MakeDirectoryStep>(plan, 0).path, "/o/1x/1");
  EXPECT_THAT(plan.config.labels, ElementsAre(Pair("l", "1x")));
  const auto& run = action<RunStep>(plan, 1);
  EXPECT_THAT(run.argv, Contains("echo $A"));
  EXPECT_THAT(run.environment, Contains(Pair("V", "1")));
  EXPECT_THAT(run.environment, Contains(Pair("C", "1x")));
  EXPECT_THAT(run.environment, Contains(Pair("PATH", k_default_path)));
}

TEST(LayerPlan, AStepSeesOnlyWhatIsAboveIt) {
  const auto plan = plan_one("RUN 1\nENV A=1\nUSER dev\nRUN 2\n");
  EXPECT_THAT(action<RunStep>(plan, 0).environment, ElementsAre(Pair("PATH", testing::_)));
  EXPECT_EQ(action<RunStep>(plan, 0).user, "");
  EXPECT_THAT(action<RunStep>(plan, 1).environment, Contains(Pair("A", "1")));
}

/// As in BuildKit; the configuration keeps what ENV said.
TEST(LayerPlan, TheLaterOfEnvAndArgCounts) {
  const auto plan = plan_one("ENV A=env\nARG A=arg\nRUN x\nENV A=again\nRUN y\n");
  EXPECT_THAT(action<RunStep>(plan, 0).environment, Contains(Pair("A", "arg")));
  EXPECT_THAT(action<RunStep>(plan, 1).environment, Contains(Pair("A", "again")));
  EXPECT_THAT(plan.config.environment, ElementsAre(Pair("A", "again")));
}

TEST(LayerPlan, ArgumentsComeFromTheChoiceElseTheDefinitionElseTheFile) {
  const std::string yml = "args:\n  node-version: {default: '20'}\n  other: {}\n";
  const std::string text = "ARG NODE_VERSION=18\nARG OTHER=file\nRUN x\n";
  EXPECT_THAT(action<RunStep>(plan_one(text, yml), 0).environment,
              testing::IsSupersetOf({Pair("NODE_VERSION", "20"), Pair("OTHER", "file")}));
  const ArgValues chosen = {{"x", {{"node-version", "22"}}}};
  EXPECT_THAT(action<RunStep>(plan_one(text, yml, chosen), 0).environment, Contains(Pair("NODE_VERSION", "22")));
}

TEST(LayerPlan, AnArgumentThatTheFileDoesNotDeclareIsNotSeen) {
  const auto plan = plan_one("RUN x\n", "args:\n  v: {default: '20'}\n");
  EXPECT_THAT(action<RunStep>(plan, 0).environment, ElementsAre(Pair("PATH", testing::_)));
}

/// Dockerfile reference, "Understand how ARG and FROM interact".
TEST(LayerPlan, AnArgBeforeFromGivesTheDefaultOfOneWithin) {
  auto files = tool("");
  files["Containerfile"] = "ARG BASE_IMAGE\nARG V=1\nFROM ${BASE_IMAGE}\nARG V\nRUN x\n";
  const auto planned = plan_of({{"x", files}}, {"x"});
  EXPECT_THAT(action<RunStep>(planned.of("x"), 0).environment, Contains(Pair("V", "1")));
}

TEST(LayerPlan, ShellChangesHowTextRuns) {
  const std::string text = "SHELL [\"/bin/bash\", \"-euc\"]\nRUN x\nCMD y\n";
  EXPECT_THAT(action<RunStep>(plan_one(text), 0).argv, ElementsAre("/bin/bash", "-euc", "x"));
  EXPECT_THAT(project_config(text).command, ElementsAre("/bin/bash", "-euc", "y"));
}

TEST(LayerPlan, ConfigHoldsOnlyWhatTheLayerSays) {
  EXPECT_EQ(plan_one("RUN x\n").config, ConfigDelta());
  const auto config = project_config("ENTRYPOINT [\"e\"]\n", "command: [run, it]\nenv:\n  A: '1'\n");
  EXPECT_THAT(config.entrypoint, ElementsAre("e"));
  EXPECT_THAT(config.command, ElementsAre("run", "it"));
  EXPECT_THAT(config.environment, ElementsAre(Pair("A", "1")));
  EXPECT_THAT(project_config("CMD [\"mine\"]\n", "command: [theirs]\n").command, ElementsAre("mine"));
}

std::vector<std::string> paths_of(const CopyStep& step) {
  std::vector<std::string> paths;
  for (const auto& source : step.sources) {
    paths.push_back(std::get<PathSource>(source).path);
  }
  return paths;
}

TEST(LayerPlan, CopyNamesSourcesAndPlace) {
  auto files = tool("WORKDIR /w\nCOPY --chown=1:2 --chmod=0750 a d /dst/\nCOPY a b\nCOPY . /all/\nCOPY ./d/../a /x\n");
  files["a"] = "1";
  files["d/b"] = "2";
  const auto planned = plan_of({{"x", files}}, {"x"});
  ASSERT_EQ(planned.mistakes, "");
  const auto& plan = planned.of("x");
  const auto& first = action<CopyStep>(plan, 1);
  EXPECT_THAT(paths_of(first), ElementsAre("a", "d"));
  EXPECT_EQ(first.destination, "/dst/");
  EXPECT_EQ(first.owner, "1:2");
  EXPECT_EQ(first.mode, "0750");
  EXPECT_EQ(action<CopyStep>(plan, 2).destination, "/w/b");
  EXPECT_EQ(action<CopyStep>(plan, 2).mode, "");
  EXPECT_THAT(paths_of(action<CopyStep>(plan, 3)), ElementsAre("."));
  EXPECT_THAT(paths_of(action<CopyStep>(plan, 4)), ElementsAre("a"));
}

TEST(LayerPlan, ClosureIsAllNeedsInStackOrder) {
  const auto planned = plan_of({{"a", tool("")},
                                {"b", tool("", "needs: [a]\n")},
                                {"c", tool("", "needs: [b]\n")},
                                {"d", tool("", "after: [a]\n")}},
                               {"c", "d"});
  EXPECT_THAT(planned.of("base").closure, IsEmpty());
  EXPECT_THAT(planned.of("c").closure, ElementsAre("base", "a", "b"));
  EXPECT_THAT(planned.of("d").closure, ElementsAre("base"));
  EXPECT_EQ(planned.of("d").reason, "asked for");
  EXPECT_EQ(planned.of("d").kind, "tool");
  EXPECT_TRUE(planned.of("base").bootstrap);
}

TEST(LayerPlan, ALayerStartsWithTheConfigurationOfItsNeedsAlone) {
  const auto planned = plan_of({{"a", tool("ENV A=1\nUSER other\nWORKDIR /a\n")},
                                {"sibling", tool("ENV S=1\nUSER other\n")},
                                {"b", tool("RUN x\nENV B=${A}${S}\n", "needs: [a]\n")}},
                               {"b", "sibling"});
  ASSERT_EQ(planned.mistakes, "");
  const auto& run = action<RunStep>(planned.of("b"), 0);
  EXPECT_EQ(run.directory, "/");
  EXPECT_EQ(run.user, "");
  EXPECT_THAT(run.environment, Contains(Pair("A", "1")));
  EXPECT_EQ(find_variable(run.environment, "S"), std::nullopt);
  EXPECT_THAT(planned.of("b").config.environment, ElementsAre(Pair("B", "1")));
}

/// A layer that is built in its own way for each family has no default Containerfile; it is not a layer of no steps.
TEST(LayerPlan, AContainerfileOfAFamilyIsUsed) {
  const auto planned = plan_of({{"x",
                                 {{"layer.yml", "summary: s\nkind: tool\nfamilies: {deb: Containerfile.deb}\n"},
                                  {"Containerfile.deb", containerfile("RUN x\n")},
                                  {"other", ""}}}},
                               {"x"});
  EXPECT_TRUE(planned.mistakes != "" || !planned.of("x").steps.empty());
}

TEST(LayerPlan, HasWhatImagesHave) {
  auto files =
      tool("RUN --mount=type=cache,target=c <<EOF\n#!/bin/python3\nEOF\nCOPY --exclude=*.md --chmod=u+x *.txt <<E /d/\n"
           "$PATH\nE\nADD --checksum=sha256:" +
           std::string(64, 'a') +
           " https://example.com/x /x\n"
           "RUN --network=none --mount=type=bind,source=a.txt,target=/b x\n");
  files["a.txt"] = "1";
  const auto planned = plan_of({{"x", files}}, {"x"});
  ASSERT_EQ(planned.mistakes, "");
  const auto& plan = planned.of("x");
  const auto& script = action<RunStep>(plan, 0);
  EXPECT_EQ(script.script, "#!/bin/python3\n");
  EXPECT_THAT(script.argv, IsEmpty());
  EXPECT_EQ(script.mounts.at(0).target, "/c");
  const auto& copy = action<CopyStep>(plan, 1);
  EXPECT_EQ(copy.mode, "u+x");
  EXPECT_THAT(copy.excludes, ElementsAre("*.md"));
  EXPECT_EQ(std::get<InlineSource>(copy.sources.at(1)).content, std::string(k_default_path) + "\n");
  EXPECT_EQ(std::get<HttpSource>(action<CopyStep>(plan, 2).sources.at(0)).url, "https://example.com/x");
  EXPECT_EQ(action<RunStep>(plan, 3).network, Network::none);
}

struct Mistake {
  std::string text;
  std::string rule;
};

TEST(LayerPlan, ReportsMistakes) {
  const std::vector<Mistake> cases = {
      {"FROM debian:12\nRUN x\n", "[layer-from]"},
      {containerfile("RUN x\nFROM ${BASE_IMAGE}\nRUN y\n"), "[one-stage]"},
      {containerfile("COPY none /x\n"), "[missing-file]"},
      {containerfile("COPY *.txt /x/\n"), "[missing-file]"},
      {containerfile("COPY --from=other a /x\n"), "[layer-source]"},
      {containerfile("RUN --mount=type=bind,from=other,target=/x true\n"), "[layer-source]"},
      {containerfile("ARG M=10000\nCOPY --chmod=$M a /x\n"), "[bad-mode]"},
      {containerfile("COPY a b /x\n"), "[copy-destination]"},
      {containerfile("ENV A=${B:?needed}\n"), "[expansion]"},
      {containerfile("ADD https://example.com/x /x\n"), "[missing-checksum]"},
      {containerfile("ADD https://example.com/x.git#main /x\n"), "[missing-checksum]"},
      {containerfile("RUN --network=host x\n"), "[not-allowed]"},
      {containerfile("ONBUILD RUN x\n"), "[unsupported-instruction]"},
      {containerfile("MAINTAINER x\n"), "[unsupported-instruction]"},
      {containerfile("VOLUME /x\n"), "[unsupported-instruction]"},
      {containerfile("EXPOSE 80\n"), "[unsupported-instruction]"},
  };
  for (const auto& [text, rule] : cases) {
    const auto planned = plan_of(
        {{"x", {{"layer.yml", "summary: s\nkind: tool\n"}, {"Containerfile", text}, {"a", ""}, {"b", ""}}}}, {"x"});
    EXPECT_THAT(planned.mistakes, HasSubstr(rule)) << text;
    EXPECT_THAT(planned.mistakes, HasSubstr("layers/x/Containerfile:")) << text;
  }
}

TEST(LayerPlan, ReportsEveryMistakeAtOnce) {
  const auto planned = plan_of({{"x", tool("COPY none /x\nVOLUME /x\nCOPY *.txt /y/\n")}}, {"x"});
  EXPECT_THAT(planned.mistakes, HasSubstr("'none'"));
  EXPECT_THAT(planned.mistakes, HasSubstr("'*.txt'"));
  EXPECT_THAT(planned.mistakes, HasSubstr("[unsupported-instruction]"));
}

} // namespace
} // namespace sheaf::plan
