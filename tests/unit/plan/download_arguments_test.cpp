// SPDX-License-Identifier: Apache-2.0
#include "plan/download_arguments.hpp"
#include "plan/platform.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/plan/plan_support.hpp"

namespace sheaf::plan {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

const std::string k_a(64, 'a');
const std::string k_b(64, 'b');

/// A layer that fetches its one download.
Sources sources(const std::string& downloads,
                const std::string& instructions = "ARG TOOL_URL\nARG TOOL_SHA256\n"
                                                  "ADD --checksum=sha256:${TOOL_SHA256} ${TOOL_URL} /opt/tool\n") {
  auto files = tool(instructions, "args: {version: {type: version}}\n");
  files["downloads.yml"] = downloads;
  return {{"x", files}};
}

/// The same digest for whatever the machine is.
std::string pinned(const std::string& version, const std::string& digest) {
  return fmt::format("  version: {}\n  sha256: {{amd64: {}, arm64: {}}}\n", version, digest, digest);
}

const std::string k_tool = "tool:\n  url: https://h/{version}/tool\n  argument: version\n";

const HttpSource& fetched(const Planned& planned) {
  return std::get<HttpSource>(action<CopyStep>(planned.of("x"), 0).sources.front());
}

TEST(DownloadArguments, AreThoseOfThePinnedFile) {
  const auto planned = plan_of(sources(k_tool + pinned("1.2", k_a)), {"x"});
  EXPECT_EQ(planned.mistakes, "");
  EXPECT_EQ(fetched(planned).url, "https://h/1.2/tool");
  EXPECT_EQ(fetched(planned).checksum, "sha256:" + k_a);
}

TEST(DownloadArguments, TheLayersArgumentChoosesTheVersion) {
  const auto downloads = k_tool + pinned("1.2", k_a) +
                         fmt::format("  also: [{{version: 1.1.9, sha256: {{amd64: {0}, arm64: {0}}}}}]\n", k_b);
  const ArgValues wanted = {{"x", {{"version", "1.1"}}}};
  const auto planned = plan_of(sources(downloads), {"x"}, wanted);
  EXPECT_EQ(planned.mistakes, "");
  EXPECT_EQ(fetched(planned).url, "https://h/1.1.9/tool");
  EXPECT_EQ(fetched(planned).checksum, "sha256:" + k_b);
}

TEST(DownloadArguments, AnUnknownVersionNamesThosePinned) {
  const ArgValues wanted = {{"x", {{"version", "3"}}}};
  const auto mistakes = plan_of(sources(k_tool + pinned("1.2", k_a)), {"x"}, wanted).mistakes;
  EXPECT_THAT(mistakes, HasSubstr("layers/x/Containerfile:3:5: error: of 'tool', which layer 'x' downloads, no version "
                                  "3 is pinned [unknown-download]"));
  EXPECT_THAT(mistakes, HasSubstr("there are 1.2"));
}

TEST(DownloadArguments, AMissingChecksumSaysHowToGetIt) {
  const auto mistakes = plan_of(sources(k_tool + "  version: 1.2\n"), {"x"}).mistakes;
  EXPECT_THAT(mistakes,
              HasSubstr(fmt::format("no checksum of version 1.2 for {} is known", native_platform().architecture)));
  EXPECT_THAT(mistakes, HasSubstr("run 'sheaf layer update x'"));
  EXPECT_THAT(mistakes, Not(HasSubstr("is no checksum"))) << "one mistake, one message";
}

TEST(DownloadArguments, AnArchitectureWithoutAFileIsAnError) {
  Diagnostics diagnostics;
  const auto layer = catalogue::layer_from_files("x", catalogue::Origin::user, "x",
                                                 sources(k_tool + pinned("1", k_a)).at("x"), diagnostics);
  const auto file = containerfile::parse(layer->containerfile, diagnostics);
  (void)download_arguments(*layer, {}, "riscv64", *file, diagnostics);
  EXPECT_THAT(diagnostics.render(), HasSubstr("there is no file for riscv64"));
}

TEST(DownloadArguments, WhatTheContainerfileDoesNotDeclareIsNeitherMissedNorPartOfTheKey) {
  const std::string other = "other:\n  url: https://h/{version}/other\n";
  const auto without = plan_of(sources(k_tool + pinned("1.2", k_a)), {"x"});
  const auto with = plan_of(sources(k_tool + pinned("1.2", k_a) + other + "  version: 1\n"), {"x"});
  EXPECT_EQ(with.mistakes, "");
  EXPECT_EQ(with.key("x"), without.key("x"));
  const auto newer = plan_of(sources(k_tool + pinned("1.3", k_a)), {"x"});
  EXPECT_NE(newer.key("x"), without.key("x"));
}

TEST(DownloadArguments, AStepSeesTheVersionItAsksFor) {
  const auto planned =
      plan_of(sources(k_tool + pinned("1.2", k_a), "ARG TOOL_VERSION\nRUN echo ${TOOL_VERSION}\n"), {"x"});
  EXPECT_THAT(action<RunStep>(planned.of("x"), 0).environment, Contains(Pair("TOOL_VERSION", "1.2")));
}

} // namespace
} // namespace sheaf::plan
