// SPDX-License-Identifier: Apache-2.0
#include "resolve/versions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::resolve {
namespace {

using catalogue::ArgType;
using catalogue::LayerDefinition;
using detect::Finding;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LayerDefinition layer_that_brings(const std::string& version) {
  LayerDefinition layer;
  layer.name = "node";
  layer.brings = version;
  return layer;
}

LayerDefinition layer_with_argument(const std::string& default_value, std::vector<std::string> allowed = {}) {
  auto layer = layer_that_brings("");
  layer.args["version"] = {ArgType::version, default_value, std::move(allowed), ""};
  return layer;
}

Finding asks(const std::string& file, std::size_t line, const std::string& version) {
  return {"node", file, line, file, version, true, 0};
}

VersionChoice choose(const LayerDefinition& layer, const std::string& version,
                     const std::optional<std::string>& set = {}) {
  return choose_version(layer, {asks("package.json", 3, version)}, set);
}

TEST(ChooseVersion, WhatTheLayerBringsWillDo) {
  const auto choice = choose(layer_that_brings("18"), ">=16");
  EXPECT_EQ(choice.argument, std::nullopt);
  EXPECT_EQ(choice.brings, "18");
  EXPECT_THAT(choice.warnings, IsEmpty());
}

TEST(ChooseVersion, WarnsOfWhatTheLayerDoesNotBring) {
  EXPECT_THAT(choose(layer_that_brings("18"), ">=20").warnings,
              ElementsAre("package.json:3 asks for node >=20, but the layer 'node' brings 18; a layer 'node' of the "
                          "project's own, in .sheaf/layers, can bring another"));
  EXPECT_THAT(choose(layer_that_brings(""), "20").warnings,
              ElementsAre(HasSubstr("but the layer 'node' does not say which version it brings")));
  EXPECT_THAT(
      choose(layer_that_brings("18"), "lts/iron").warnings,
      ElementsAre(HasSubstr("asks for node 'lts/iron', which is no version number, but the layer 'node' brings 18")));
}

TEST(ChooseVersion, HandsItOverIfTheDefaultWillNotDo) {
  const auto layer = layer_with_argument("18");
  EXPECT_EQ(choose(layer, ">=16").argument, std::nullopt);
  EXPECT_EQ(choose(layer, "v20.11.0").argument, "20.11.0");
  EXPECT_EQ(choose(layer, "v20.11.0").brings, "20.11.0");
  EXPECT_EQ(choose(layer, "^20.9 || ^22").argument, "20.9");
  EXPECT_THAT(choose(layer, "^20.9").warnings, IsEmpty());
  EXPECT_EQ(choose(layer_with_argument("latest"), ">=16").argument, "16");
}

TEST(ChooseVersion, TakesTheNewestThatIsAllowed) {
  const auto layer = layer_with_argument("18", {"18", "20", "9", "22"});
  EXPECT_EQ(choose(layer, ">=19 <22").argument, "20");
  EXPECT_EQ(choose(layer, ">=19").argument, "22");
  EXPECT_EQ(choose(layer, "20.11.0").argument, "20");
  const auto unmet = choose(layer, "16");
  EXPECT_EQ(unmet.argument, std::nullopt);
  EXPECT_THAT(unmet.warnings,
              ElementsAre("package.json:3 asks for node 16, but the layer 'node' brings 18; choose one with "
                          "'args: {node: {version: …}}' in sheaf.yml"));
}

TEST(ChooseVersion, NamesStandForVersions) {
  auto layer = layer_with_argument("24.1.0");
  layer.args["version"].names = {{"lts/*", "24"}, {"lts/iron", "20"}, {"lts/jod", "22"}, {"old", "9"}};
  EXPECT_EQ(choose(layer, "lts/iron").argument, "20");
  EXPECT_EQ(choose(layer, "lts/iron").asked.front().version, "20");
  EXPECT_THAT(choose(layer, "lts/iron").warnings, IsEmpty());
  EXPECT_EQ(choose(layer, "lts/*").argument, std::nullopt);
  EXPECT_THAT(choose(layer, "lts/*").warnings, IsEmpty());
  EXPECT_THAT(choose(layer, "lts/erbium").warnings, ElementsAre(HasSubstr("'lts/erbium', which is no version number")));
}

TEST(ChooseVersion, OfARangeTheNewestThatHasAName) {
  auto layer = layer_with_argument("24.1.0");
  layer.args["version"].names = {{"lts/iron", "20"}, {"lts/jod", "22"}, {"old", "9"}};
  EXPECT_EQ(choose(layer, ">=9 <23").argument, "22");
  EXPECT_EQ(choose(layer, "^9 || ^20.5").argument, "20");
  EXPECT_EQ(choose(layer, "20.5.1").argument, "20.5.1");
  EXPECT_EQ(choose(layer, ">=21.3 <22").argument, "21.3");
}

TEST(ChooseVersion, WhereThereIsNoChoiceItIsNotAdvised) {
  EXPECT_THAT(choose(layer_with_argument("3.11", {"3.11"}), ">=3.12").warnings,
              ElementsAre(HasSubstr("a layer 'node' of the project's own, in .sheaf/layers, can bring another")));
}

TEST(ChooseVersion, NeverHandsOverWhatIsNoVersion) {
  const auto layer = layer_with_argument("18");
  EXPECT_EQ(choose(layer, "<16").argument, std::nullopt);
  EXPECT_THAT(choose(layer, "<16").warnings, ElementsAre(HasSubstr("asks for node <16, but")));
  EXPECT_EQ(choose(layer, "$(id)").argument, std::nullopt);
  EXPECT_THAT(choose(layer, "$(id)").warnings, ElementsAre(HasSubstr("'$(id)', which is no version number")));
}

TEST(ChooseVersion, WhatTheSettingsSayCounts) {
  const auto choice = choose(layer_with_argument("18"), "20", "16");
  EXPECT_EQ(choice.argument, std::nullopt);
  EXPECT_EQ(choice.brings, "16");
  EXPECT_THAT(choice.warnings, IsEmpty());
}

TEST(ChooseVersion, FollowsTheFirstRangeAndTellsWhatDisagrees) {
  const auto choice = choose_version(layer_with_argument("18"),
                                     {asks(".nvmrc", 1, "stable"), asks(".node-version", 1, "20"),
                                      asks("package.json", 5, ">=18"), asks("a/package.json", 7, ">=22")},
                                     {});
  EXPECT_EQ(choice.followed, 1U);
  EXPECT_EQ(choice.argument, "20");
  EXPECT_THAT(choice.warnings,
              ElementsAre(".node-version:1 asks for node 20, but a/package.json:7 for >=22; the first is followed"));
}

TEST(ChooseVersion, MeetsOthersAlongWithTheOneThatIsFollowed) {
  const auto ask = [](const LayerDefinition& layer) {
    return choose_version(layer,
                          {asks("go.work", 1, ">=1.21.0"), asks("a/go.mod", 3, ">=1.18"),
                           asks("a/go.mod", 5, ">=1.22.3"), asks("b/go.mod", 3, "<1.2")},
                          {});
  };
  EXPECT_EQ(ask(layer_with_argument("1.19")).argument, "1.22.3");
  EXPECT_EQ(ask(layer_with_argument("1.23")).argument, std::nullopt);
  EXPECT_EQ(ask(layer_with_argument("1.19", {"1.19", "1.21", "1.23"})).argument, "1.23");
  EXPECT_THAT(ask(layer_that_brings("1.21")).warnings,
              ElementsAre(HasSubstr("a/go.mod:5 asks for node >=1.22.3, but the layer 'node' brings 1.21"),
                          HasSubstr("but b/go.mod:3 for <1.2; the first is followed")));
}

TEST(ChooseVersions, ConcernsTheLayersOfTheStack) {
  const auto node = layer_with_argument("18");
  auto go = layer_that_brings("1.19");
  go.name = "go";
  const Stack stack{{{&go, {}, ""}, {&node, {}, ""}}};
  detect::Detection detection;
  detection.findings = {asks("package.json", 3, "20"), {"rust", "Cargo.toml", 2, "", ">=1.70", true, 0}};
  const auto choices = choose_versions(stack, detection, {});
  ASSERT_EQ(choices.size(), 1U);
  EXPECT_EQ(choices[0].layer, "node");
  EXPECT_EQ(with_versions({}, choices), (Args{{"node", {{"version", "20"}}}}));
  const Args args = {{"node", {{"version", "16"}}}, {"go", {{"x", "y"}}}};
  EXPECT_EQ(choose_versions(stack, detection, args)[0].argument, std::nullopt);
  EXPECT_EQ(with_versions(args, choose_versions(stack, detection, args)), args);
}

} // namespace
} // namespace sheaf::resolve
