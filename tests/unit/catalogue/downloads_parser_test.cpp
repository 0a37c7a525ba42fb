// SPDX-License-Identifier: Apache-2.0
#include "catalogue/artefact.hpp"
#include "catalogue/layer_definition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sheaf::catalogue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string k_a(64, 'a');
const std::string k_b(64, 'b');

struct Parsed {
  std::optional<Downloads> downloads;
  std::string mistakes;
};

Parsed parse(const std::string& text) {
  Diagnostics diagnostics;
  auto downloads = parse_downloads(std::make_shared<const SourceText>("downloads.yml", text), diagnostics);
  return {std::move(downloads), diagnostics.has_errors() ? diagnostics.render() : ""};
}

const std::string k_whole = R"(kubectl:
  url: https://dl.example.org/v{version}/{arch}/kubectl
  arch: {amd64: x86_64, arm64: aarch64}
  latest: {url: "https://dl.example.org/stable.txt", prefix: v}
  checksums: https://dl.example.org/v{version}/{arch}.sha256
  argument: version
  version: 1.31.0
  sha256: {amd64: )" + k_a + R"(}
  also:
    - {version: 1.30.4, sha256: {amd64: )" +
                            k_b + R"(, arm64: )" + k_a + R"(}}
    - {version: 1.30.2}
)";

TEST(DownloadsParser, ReadsEveryKey) {
  const auto parsed = parse(k_whole);
  ASSERT_EQ(parsed.mistakes, "");
  ASSERT_EQ(parsed.downloads->artefacts.size(), 1U);
  const auto& artefact = parsed.downloads->artefacts.front();
  EXPECT_EQ(artefact.name, "kubectl");
  EXPECT_THAT(artefact.architectures, ElementsAre(Pair("amd64", "x86_64"), Pair("arm64", "aarch64")));
  ASSERT_TRUE(artefact.latest);
  EXPECT_EQ(artefact.latest->url, "https://dl.example.org/stable.txt");
  EXPECT_EQ(artefact.latest->prefix, "v");
  EXPECT_EQ(artefact.checksums, "https://dl.example.org/v{version}/{arch}.sha256");
  EXPECT_EQ(artefact.argument, "version");
  EXPECT_EQ(artefact.current.version, "1.31.0");
  EXPECT_THAT(artefact.current.sha256, ElementsAre(Pair("amd64", k_a)));
  ASSERT_EQ(artefact.others.size(), 2U);
  EXPECT_THAT(artefact.others[0].sha256, ElementsAre(Pair("amd64", k_b), Pair("arm64", k_a)));
  EXPECT_TRUE(artefact.others[1].sha256.empty());
}

TEST(DownloadsParser, BothArchitecturesAreThereUnlessItSaysOtherwise) {
  const auto artefact = parse("a:\n  url: https://h/f\n  version: 1\n").downloads->artefacts.front();
  EXPECT_THAT(artefact.architectures, ElementsAre(Pair("amd64", "amd64"), Pair("arm64", "arm64")));
  EXPECT_FALSE(artefact.latest);
}

TEST(DownloadsParser, AnEmptyFileHasNone) {
  const auto parsed = parse("# nothing yet\n");
  ASSERT_TRUE(parsed.downloads);
  EXPECT_TRUE(parsed.downloads->artefacts.empty());
}

TEST(DownloadsParser, RefusesWhatIsNoSafeAddress) {
  for (const std::string url : {"http://example.org/f", "ftp://example.org/f", "https://", "https:///f", "f",
                                "http://localhost.example.org/f", "'https://h/a b'"}) {
    EXPECT_THAT(parse("a: {version: 1, url: " + url + "}\n").mistakes, HasSubstr("is not an https address")) << url;
  }
  for (const std::string url : {"http://localhost:80/f", "http://127.0.0.1:8/f", "http://[::1]/f", "https://h/f"}) {
    EXPECT_EQ(parse("a: {version: 1, url: '" + url + "'}\n").mistakes, "") << url;
  }
}

TEST(DownloadsParser, ADigestNeedsAnArchitectureThatHasAFile) {
  EXPECT_THAT(parse("a: {url: 'https://h/f', version: 1, arch: {amd64: x}, sha256: {arm64: " + k_a + "}}\n").mistakes,
              HasSubstr("'arch' has no arm64"));
}

TEST(Artefact, FillsInVersionAndArchitecture) {
  const auto artefact = parse(k_whole).downloads->artefacts.front();
  EXPECT_EQ(fill_in(artefact.url, artefact, "1.2", "arm64"), "https://dl.example.org/v1.2/aarch64/kubectl");
  EXPECT_EQ(fill_in("{version}{version}-{arch}", artefact, "{arch}", "amd64"), "{arch}{arch}-x86_64");
}

TEST(Artefact, FindsThePinThatIsAskedFor) {
  const auto artefact = parse(k_whole).downloads->artefacts.front();
  const auto version = [&](std::string_view wanted) {
    const auto* pin = find_pin(artefact, wanted);
    return pin != nullptr ? pin->version : "none";
  };
  EXPECT_EQ(version(""), "1.31.0");
  EXPECT_EQ(version("latest"), "1.31.0");
  EXPECT_EQ(version("1"), "1.31.0");
  EXPECT_EQ(version("1.30"), "1.30.4");
  EXPECT_EQ(version("1.30.2"), "1.30.2");
  EXPECT_EQ(version("1.3"), "none");
  EXPECT_EQ(version("2"), "none");
}

TEST(LayerFromFiles, TakesTheDownloadsOutOfTheFolder) {
  Diagnostics diagnostics;
  const auto layer = layer_from_files("tool", Origin::user, "tool",
                                      {{"layer.yml", "summary: s\nkind: tool\nargs: {version: {type: version}}\n"},
                                       {"Containerfile", "FROM ${BASE_IMAGE}\n"},
                                       {"downloads.yml", k_whole},
                                       {"other", ""}},
                                      diagnostics);
  ASSERT_TRUE(layer) << diagnostics.render();
  EXPECT_EQ(layer->downloads.artefacts.size(), 1U);
  EXPECT_EQ(layer->downloads.source->name(), "tool/downloads.yml");
  EXPECT_THAT(layer->files, ElementsAre(Pair("other", "")));
}

TEST(LayerFromFiles, AnArgumentOfADownloadIsOneOfTheLayer) {
  Diagnostics diagnostics;
  const auto layer = layer_from_files("tool", Origin::user, "tool",
                                      {{"layer.yml", "summary: s\nkind: tool\nargs: {versoin: {type: version}}\n"},
                                       {"Containerfile", "FROM ${BASE_IMAGE}\n"},
                                       {"downloads.yml", k_whole}},
                                      diagnostics);
  EXPECT_FALSE(layer);
  EXPECT_THAT(diagnostics.render(), HasSubstr("downloads.yml:1:1: error: the layer 'tool' has no argument 'version'"));
  EXPECT_THAT(diagnostics.render(), HasSubstr("did you mean 'versoin'?"));
}

} // namespace
} // namespace sheaf::catalogue
