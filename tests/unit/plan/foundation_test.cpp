// SPDX-License-Identifier: Apache-2.0
#include "plan/foundation.hpp"

#include <gmock/gmock.h>

#include "unit/plan/plan_support.hpp"

namespace sheaf::plan {
namespace {

using catalogue::Family;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Files = std::map<std::string, std::string>;

/// A base whose Containerfile is `text`, as it is.
Files base_of(const std::string& text, const std::string& more_yml = {}) {
  return {{"layer.yml", "summary: s\nkind: base\n" + more_yml}, {"Containerfile", text}};
}

/// The image of a stack of that base alone, or the mistakes.
std::string image_of(const Files& base, const std::optional<std::string>& chosen = {}, const ArgValues& args = {}) {
  Diagnostics diagnostics;
  auto layer = catalogue::layer_from_files("base", catalogue::Origin::project, "layers/base", base, diagnostics);
  const catalogue::Catalogue catalogue({std::move(layer).value()});
  const auto stack = resolve::resolve(catalogue, {"base", {}});
  const auto name = base_image_name(stack.value(), args, chosen, {}, diagnostics);
  return diagnostics.has_errors() ? diagnostics.render() : name.value_or("none");
}

Foundation on(const std::string& name, std::optional<Family> family,
              Foundation::NamedBy named_by = Foundation::NamedBy::settings) {
  Foundation foundation;
  foundation.image.emplace();
  foundation.image->name = name;
  foundation.image->digest = "sha256:1";
  foundation.image->trees = {"/store/unpacked/1/tree"};
  foundation.named_by = named_by;
  foundation.family = family;
  foundation.family_source = "Some Linux 1";
  return foundation;
}

TEST(Foundation, TheImageIsThatOfTheSettingsElseOfFrom) {
  EXPECT_EQ(image_of(base_of(containerfile(""))), "none");
  EXPECT_EQ(image_of(base_of(containerfile("")), "debian:12"), "debian:12");
  EXPECT_EQ(image_of(base_of("FROM registry.example.org/team/base:3\nRUN x\n")), "registry.example.org/team/base:3");
  EXPECT_EQ(image_of(base_of("ARG BASE_IMAGE=debian:12\nFROM ${BASE_IMAGE}\n")), "debian:12");
  EXPECT_EQ(image_of(base_of("FROM scratch\n")), "none");
}

TEST(Foundation, FromTakesTheArgumentsOfTheLayer) {
  const auto base = base_of("ARG RELEASE=12\nFROM debian:${RELEASE}\n", "args:\n  release: {default: '11'}\n");
  EXPECT_EQ(image_of(base), "debian:11");
  EXPECT_EQ(image_of(base, {}, {{"base", {{"release", "13"}}}}), "debian:13");
}

TEST(Foundation, WhatIsNoImageIsSaidWithItsPlace) {
  const auto mistake = image_of(base_of("FROM Registry.example.org/Team/base\n"));
  EXPECT_THAT(mistake, HasSubstr("layers/base/Containerfile:1:6"));
  EXPECT_THAT(mistake, HasSubstr("^"));
  EXPECT_THAT(image_of(base_of("FROM debian:12\n", "bootstrap:\n  suite: bookworm\n")), HasSubstr("two-roots"));
}

TEST(Foundation, AnImageIsConfigurationAndKeyOfTheBase) {
  auto foundation = on("debian:12", Family::deb);
  foundation.image->config.environment = {{"PATH", "/opt/bin:/usr/bin"}, {"LANG", "C"}};
  foundation.image->config.user = "root";
  foundation.image->config.entrypoint = {"/entry"};
  foundation.image->config.labels = {{"a", "1"}};
  const auto planned = plan_of({{"base", base_of(containerfile("ENV LANG=C.UTF-8\nRUN x\nUSER dev\nCMD [\"c\"]\n"))}},
                               {}, {}, foundation);
  const auto& base = planned.of("base");
  EXPECT_EQ(planned.mistakes, "");
  EXPECT_EQ(base.inputs.at("image"), "sha256:1");
  EXPECT_THAT(base.config.environment, ElementsAre(Pair("LANG", "C.UTF-8"), Pair("PATH", "/opt/bin:/usr/bin")));
  EXPECT_EQ(base.config.user, "dev");
  EXPECT_THAT(base.config.command, ElementsAre("c"));
  EXPECT_THAT(base.config.entrypoint, ElementsAre("/entry"));
  EXPECT_THAT(base.config.labels, ElementsAre(Pair("a", "1")));
  EXPECT_EQ(action<RunStep>(base, 0).user, "root");
  EXPECT_FALSE(base.bootstrap);
  foundation.image->digest = "sha256:2";
  const auto other = plan_of({{"base", base_of(containerfile("ENV LANG=C.UTF-8\nRUN x\nUSER dev\nCMD [\"c\"]\n"))}}, {},
                             {}, foundation);
  EXPECT_NE(planned.key("base"), other.key("base"));
}

TEST(Foundation, LayersSeeTheEnvironmentOfTheImage) {
  auto foundation = on("debian:12", Family::deb);
  foundation.image->config.environment = {{"LANG", "C.UTF-8"}};
  const auto planned = plan_of({{"base", base_of(containerfile(""))}, {"x", tool("RUN y\n")}}, {"x"}, {}, foundation);
  EXPECT_THAT(action<RunStep>(planned.of("x"), 0).environment, testing::Contains(Pair("LANG", "C.UTF-8")));
}

TEST(Foundation, AnImageThatTheBaseHasNothingForIsUsedAsItIs) {
  auto foundation = on("alpine:3.20", Family::apk);
  foundation.image->config.command = {{"/bin/sh"}};
  const auto base = base_of(containerfile("RUN apt-get update\nUSER dev\n"), "families: [deb]\n");
  const auto planned = plan_of({{"base", base}, {"x", tool("RUN y\n", "families: [apk]\n")}}, {"x"}, {}, foundation);
  EXPECT_EQ(planned.mistakes, "");
  EXPECT_THAT(planned.of("base").steps, IsEmpty());
  EXPECT_EQ(planned.of("base").config.user, "");
  EXPECT_THAT(planned.of("base").config.command, ElementsAre("/bin/sh"));
}

TEST(Foundation, ALayerForAnotherFamilyIsNamedWithTheBase) {
  const Sources sources = {{"base", base_of(containerfile(""))}, {"x", tool("RUN y\n", "families: [deb, rpm]\n")}};
  const auto planned = plan_of(sources, {"x"}, {}, on("alpine:3.20", Family::apk));
  EXPECT_THAT(planned.mistakes,
              HasSubstr("layer 'x' is for deb, rpm, but the base 'alpine:3.20' is apk (Some Linux 1)"));
  EXPECT_THAT(planned.mistakes, HasSubstr("asked for"));
  const auto unknown = plan_of(sources, {"x"}, {}, on("busybox:1", {}));
  EXPECT_THAT(unknown.mistakes, HasSubstr("the family of the base 'busybox:1' is not known"));
  EXPECT_THAT(unknown.mistakes, HasSubstr("family: deb"));
}

TEST(Foundation, ABaseWithItsOwnImageMustFitIt) {
  const Sources sources = {{"base", base_of("FROM alpine:3.20\n", "families: [deb]\n")}};
  const auto planned = plan_of(sources, {}, {}, on("alpine:3.20", Family::apk, Foundation::NamedBy::layer));
  EXPECT_THAT(planned.mistakes, HasSubstr("layer 'base' is for deb"));
}

TEST(Foundation, BeforeTheImageIsHereNothingIsSaidAgainstLayers) {
  auto foundation = on("alpine:3.20", {});
  foundation.image->trees.clear();
  foundation.image->digest.clear();
  const auto planned = plan_of({{"base", base_of(containerfile(""))}, {"x", tool("RUN y\n", "families: [rpm]\n")}},
                               {"x"}, {}, foundation);
  EXPECT_EQ(planned.mistakes, "");
}

TEST(Foundation, EachFamilyHasItsContainerfile) {
  Files files = tool("RUN deb\n", "families: {deb: Containerfile, apk: Containerfile.apk}\n");
  files["Containerfile.apk"] = containerfile("RUN apk\n");
  const auto planned =
      plan_of({{"base", base_of(containerfile(""))}, {"x", files}}, {"x"}, {}, on("alpine:3.20", Family::apk));
  EXPECT_EQ(planned.mistakes, "");
  EXPECT_EQ(planned.of("x").steps.at(0).display, "RUN apk");
}

TEST(Foundation, ABaseThatNamesItsImageCannotBePutOnAnother) {
  const auto planned = plan_of({{"base", base_of("FROM debian:12\n")}}, {}, {}, on("ubuntu:24.04", Family::deb));
  EXPECT_THAT(planned.mistakes, HasSubstr("the base is 'ubuntu:24.04', but the layer 'base' is made from 'debian:12'"));
  EXPECT_THAT(planned.mistakes, HasSubstr("layers/base/Containerfile:1:6"));
}

} // namespace
} // namespace sheaf::plan
