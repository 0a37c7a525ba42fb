// SPDX-License-Identifier: Apache-2.0
// Rules that one plan alone does not show; whole plans are in tests/golden/plan.
#include "plan/image_plan.hpp"
#include "plan/stage_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

containerfile::File parsed(const std::string& text) {
  Diagnostics diagnostics;
  auto file = containerfile::parse(std::make_shared<SourceText>("Containerfile", text), diagnostics);
  EXPECT_TRUE(file) << diagnostics.render();
  return file.value_or(containerfile::File());
}

ImagePlan planned(const std::string& text, const ImageRequest& request = {},
                  const std::map<std::string, oci::Image>& images = {}) {
  Diagnostics diagnostics;
  auto plan = plan_image(parsed(text), request, images, diagnostics);
  EXPECT_TRUE(plan) << diagnostics.render();
  return plan.value_or(ImagePlan());
}

std::string mistakes(const std::string& text, const ImageRequest& request = {}) {
  Diagnostics diagnostics;
  EXPECT_FALSE(plan_image(parsed(text), request, {}, diagnostics));
  return diagnostics.render();
}

const oci::Image& result(const ImagePlan& plan) { return plan.stages.at(plan.target).image; }

Variables environment(const ImagePlan& plan, std::size_t step) {
  return std::get<RunStep>(plan.stages.at(plan.target).steps.at(step).action).environment;
}

TEST(ImagePlan, EveryStepHasItsLineInTheHistory) {
  const auto plan =
      planned("# sheaf: extensions\nFROM scratch\nENV A=1\nRUN x\nWORKDIR /\nWORKDIR /w\nSNAPSHOT /w\nCOPY a "
              "b\nCMD [\"x\"]\nADD c d\n");
  std::vector<std::string> lines;
  for (const auto& line : result(plan).history) {
    if (!line.empty_layer) {
      lines.push_back(line.created_by);
    }
  }
  EXPECT_THAT(lines,
              ElementsAre("RUN /bin/sh -c x # buildkit", "WORKDIR /w", "COPY a b # buildkit", "ADD c d # buildkit"));
  EXPECT_EQ(plan.stages.at(0).steps.size(), lines.size() + 1);
}

TEST(ImagePlan, ArgumentsAreOfTheirStage) {
  const auto plan =
      planned("ARG G=1\nFROM scratch AS a\nARG G\nARG A=2\nFROM a\nRUN x\nFROM scratch\nCOPY --from=1 / /\nRUN y\n");
  const auto& inherited = std::get<RunStep>(plan.stages.at(1).steps.at(0).action).environment;
  EXPECT_THAT(inherited, testing::IsSupersetOf({Pair("G", "1"), Pair("A", "2")}));
  EXPECT_THAT(environment(plan, 1), ElementsAre(Pair("PATH", k_default_path)));
  EXPECT_EQ(plan.stages.at(1).image.history.back().created_by, "RUN |2 G=1 A=2 /bin/sh -c x # buildkit");
}

TEST(ImagePlan, TheCommandLineWinsOverDefaults) {
  ImageRequest request;
  request.build_args = {{"A", "x"}, {"B", std::nullopt}, {"C", "$A"}};
  const auto plan = planned("FROM scratch\nARG A=1\nARG B=2\nARG C\nRUN x\n", request);
  EXPECT_THAT(environment(plan, 0), testing::IsSupersetOf({Pair("A", "x"), Pair("B", "2"), Pair("C", "$A")}));
}

TEST(ImagePlan, ProxiesAreThereButDecideNothing) {
  ImageRequest request;
  request.build_args = {{"http_proxy", "p"}};
  const auto plan = planned("FROM scratch\nRUN x\n", request);
  const auto& step = plan.stages.at(0).steps.at(0);
  EXPECT_THAT(environment(plan, 0), testing::IsSupersetOf({Pair("http_proxy", "p"), Pair("HTTP_PROXY", "p")}));
  EXPECT_EQ(describe(step), describe(planned("FROM scratch\nRUN x\n").stages.at(0).steps.at(0)));
  EXPECT_THAT(result(plan).history.back().created_by, testing::Not(HasSubstr("proxy")));
}

TEST(ImagePlan, PlatformArgumentsNeedAnArg) {
  ImageRequest request;
  request.platform = Platform{"linux", "arm", "v6"};
  const auto plan =
      planned("FROM scratch\nARG TARGETPLATFORM\nARG TARGETARCH\nARG TARGETVARIANT\nARG TARGETSTAGE\nRUN x\n", request);
  EXPECT_THAT(environment(plan, 0),
              testing::IsSupersetOf({Pair("TARGETPLATFORM", "linux/arm/v6"), Pair("TARGETARCH", "arm"),
                                     Pair("TARGETVARIANT", "v6"), Pair("TARGETSTAGE", "default")}));
  EXPECT_EQ(find_variable(environment(plan, 0), "TARGETOS"), std::nullopt);
  EXPECT_EQ(result(plan).architecture, "arm");
}

TEST(ImagePlan, ImagesAreWantedForThePlatformOfTheirStage) {
  ImageRequest request;
  request.platform = Platform{"linux", "riscv64", ""};
  const std::map<std::string, oci::Image> images = {{"tools", {}}, {"base for linux/riscv64", {}}};
  const auto plan = planned("FROM --platform=$BUILDPLATFORM tools AS t\nFROM base\nCOPY --from=other /x /x\n"
                            "COPY --from=t /y /y\n",
                            request, images);
  EXPECT_THAT(images_of(plan),
              testing::UnorderedElementsAre("tools", "base for linux/riscv64", "other for linux/riscv64"));
  EXPECT_EQ(plan.stages.at(0).platform, native_platform());
  EXPECT_EQ(result(plan).architecture, "riscv64");
}

TEST(ImagePlan, AnEntrypointTakesTheInheritedCommandAway) {
  oci::Image base;
  base.config.command = {"old"};
  const std::map<std::string, oci::Image> images = {{"base", base}};
  EXPECT_EQ(result(planned("FROM base\nENTRYPOINT [\"e\"]\n", {}, images)).config.command, std::nullopt);
  EXPECT_EQ(result(planned("FROM base\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\n", {}, images)).config.command,
            std::vector<std::string>{"c"});
  EXPECT_EQ(result(planned("FROM base\n", {}, images)).config.command, std::vector<std::string>{"old"});
  EXPECT_EQ(result(planned("FROM base\nCMD []\n", {}, images)).config.command, std::nullopt);
}

TEST(ImagePlan, OnlyWhatTheTargetNeedsIsPlanned) {
  const std::string text = "FROM one AS a\nFROM two AS b\nFROM a\nRUN --mount=from=three,target=/m x\nFROM b\n";
  Diagnostics diagnostics;
  EXPECT_THAT(images_of(parsed(text), {}, {}, diagnostics), ElementsAre("two"));
  ImageRequest request;
  request.target = "2";
  EXPECT_THAT(images_of(parsed(text), request, {}, diagnostics), ElementsAre("one", "three"));
  const auto plan = planned(text, request, {{"one", {}}});
  EXPECT_EQ(plan.stages.size(), 2U);
  EXPECT_THAT(images_of(plan), ElementsAre("one", "three"));
}

TEST(ImagePlan, TriggersOfABaseComeFirst) {
  oci::Image base;
  base.config.on_build = {"COPY --from=helper / /h", "ENV T=1"};
  const auto plan = planned("FROM scratch AS helper\nFROM base\nRUN x\n", {}, {{"base", base}});
  ASSERT_EQ(plan.stages.size(), 2U);
  EXPECT_THAT(plan.stages.at(1).needs, ElementsAre(0U));
  EXPECT_EQ(plan.stages.at(1).steps.at(0).line, 0U);
  EXPECT_EQ(plan.stages.at(1).steps.at(0).display, "ONBUILD COPY --from=helper / /h");
  EXPECT_THAT(environment(plan, 1), Contains(Pair("T", "1")));
  EXPECT_TRUE(result(plan).config.on_build.empty());
  const auto staged = planned("FROM scratch AS a\nONBUILD ENV T=2\nFROM a\nRUN x\n");
  EXPECT_THAT(environment(staged, 0), Contains(Pair("T", "2")));
}

/// The stage that a trigger copies from is not needed otherwise, so its base comes to light with the trigger.
TEST(ImagePlan, TriggersMayNeedMoreImages) {
  oci::Image base;
  base.config.on_build = {"COPY --from=helper / /h"};
  const auto file = parsed("FROM tools AS helper\nFROM base\n");
  Diagnostics diagnostics;
  EXPECT_THAT(images_of(file, {}, {}, diagnostics), ElementsAre("base"));
  EXPECT_THAT(images_of(file, {}, {{"base", base}}, diagnostics), ElementsAre("base", "tools"));
}

/// As in BuildKit: FROM means the stages above it, else an image.
TEST(ImagePlan, ABaseMayHaveTheNameOfALaterStage) {
  const auto plan = planned("FROM nginx AS x\nFROM x AS nginx\n", {}, {{"nginx", {}}});
  EXPECT_EQ(plan.stages.at(0).base.kind, Source::Kind::image);
}

TEST(ImagePlan, SaysWhatHasNoPlaceInTheFile) {
  ImageRequest request;
  request.target = "x";
  EXPECT_THAT(mistakes("FROM scratch AS abcdef\n", request), HasSubstr("the stages are abcdef"));
  EXPECT_THAT(mistakes("FROM scratch\nCOPY --from=1 / /\n"), HasSubstr("[unknown-stage]"));
}

TEST(ImagePlan, PrintsItself) {
  const auto text = to_json(planned("FROM scratch AS a\nCOPY x /y\n"));
  EXPECT_THAT(text, HasSubstr("\"target\": \"a\""));
  EXPECT_THAT(text, HasSubstr("\"to\": \"/y\""));
}

} // namespace
} // namespace sheaf::plan
