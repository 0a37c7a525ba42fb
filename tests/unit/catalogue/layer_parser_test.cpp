// SPDX-License-Identifier: Apache-2.0
#include "catalogue/layer_definition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::optional<LayerDefinition> parse(const std::string& text, Diagnostics& diagnostics) {
  return parse_layer("sample", std::make_shared<const SourceText>("layer.yml", text), diagnostics);
}

LayerDefinition parse_good(const std::string& text) {
  Diagnostics diagnostics;
  auto layer = parse("summary: s\n" + text, diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  return std::move(layer).value();
}

TEST(LayerParser, ReadsEveryField) {
  const auto layer = parse_good(R"(kind: agent
needs: [node, node]
after: [python]
conflicts: [other]
replaces: [older]
volatile: yes
args:
  version: {type: version, default: 1.20, description: which one}
  flavour: {default: a, allowed: [a, b]}
env: {Z: "1", A: ''}
ports: [8080]
credentials: [~/.sample]
persistent: [/var/lib/sample]
egress: ['*.example.org']
command: [sample, --flag]
tests:
  - {command: sample --version, expect: "1"}
  - command: "true"
detect:
  - sample.toml
  - {file: '*.sample', version: engines.sample}
  - {file: .sample-version, version: first-line, minimum: yes, alone: no}
brings: "3.11"
families: {deb: , rpm: Containerfile.rpm}
capture:
  - {path: 'var/lib/sample/*.lock', class: lock, reason: held by the server}
  - {path: var/lib/mysql/**, class: keep, reason: our tables}
)");
  EXPECT_THAT(layer.capture, ElementsAre(CaptureRule{"var/lib/sample/*.lock", "lock", "held by the server"},
                                         CaptureRule{"var/lib/mysql/**", "keep", "our tables"}));
  EXPECT_EQ(layer.kind, Kind::agent);
  EXPECT_THAT(layer.needs, ElementsAre("node"));
  EXPECT_TRUE(layer.is_volatile);
  EXPECT_EQ(layer.args.at("version").default_value, "1.20"); // as written, not as a number
  EXPECT_EQ(layer.args.at("flavour").type, ArgType::string);
  EXPECT_THAT(layer.env, ElementsAre(EnvVariable{"Z", "1"}, EnvVariable{"A", ""})); // in the order written
  EXPECT_THAT(layer.ports, ElementsAre(8080));
  EXPECT_THAT(layer.credentials, ElementsAre("~/.sample"));
  EXPECT_THAT(layer.command, ElementsAre("sample", "--flag"));
  EXPECT_THAT(layer.tests, ElementsAre(LayerTest{"sample --version", "1"}, LayerTest{"true", ""}));
  EXPECT_EQ(layer.detect.at(1).version, "engines.sample");
  EXPECT_FALSE(layer.detect.at(1).is_minimum);
  EXPECT_TRUE(layer.detect.at(1).calls);
  EXPECT_TRUE(layer.detect.at(2).is_minimum);
  EXPECT_FALSE(layer.detect.at(2).calls);
  EXPECT_EQ(layer.brings, "3.11");
  EXPECT_THAT(layer.families, ElementsAre(Pair(Family::deb, "Containerfile"), Pair(Family::rpm, "Containerfile.rpm")));
  EXPECT_EQ(layer.mentions.size(), 4U);
}

TEST(LayerParser, TheNewestVersionNeedsAnArgumentForIt) {
  const auto read = [](const std::string& args, std::string& mistakes) {
    Diagnostics diagnostics;
    auto layer = parse_layer(
        "tool",
        std::make_shared<const SourceText>("layer.yml", "summary: x\nkind: agent\nnewest: npm view x version\n" + args),
        diagnostics);
    mistakes = diagnostics.render();
    return layer;
  };
  std::string mistakes;
  const auto layer = read("args: {version: {type: version, default: latest}}\n", mistakes);
  ASSERT_TRUE(layer) << mistakes;
  EXPECT_EQ(layer->newest, "npm view x version");
  EXPECT_FALSE(read("", mistakes));
  EXPECT_NE(mistakes.find("there is no argument 'version'"), std::string::npos) << mistakes;
  EXPECT_FALSE(read("args: {version: {type: string}}\n", mistakes));
}

TEST(LayerParser, BootstrapHasDefaults) {
  const auto layer = parse_good("kind: base\nbootstrap: {suite: trixie}\n");
  ASSERT_TRUE(layer.bootstrap.has_value());
  EXPECT_EQ(layer.bootstrap->tool, "mmdebstrap");
  EXPECT_EQ(layer.bootstrap->variant, "minbase");
  EXPECT_THAT(layer.bootstrap->components, ElementsAre("main"));
}

TEST(LayerParser, ReportsAllMistakesInOneRun) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse("sumary: s\nkind: tol\nneeds: node\nports: [0, x]\n", diagnostics).has_value());
  EXPECT_EQ(diagnostics.error_count(), 6U) << diagnostics.render();
}

TEST(LayerFromFiles, KeepsTheOtherFiles) {
  Diagnostics diagnostics;
  const auto layer = layer_from_files(
      "tool", Origin::user, "layers/tool",
      {{"layer.yml", "summary: s\nkind: tool\n"}, {"Containerfile", "FROM x\n"}, {"a/b", "data"}}, diagnostics);
  ASSERT_TRUE(layer.has_value()) << diagnostics.render();
  EXPECT_EQ(layer->containerfile->text(), "FROM x\n");
  EXPECT_EQ(layer->containerfile->name(), "layers/tool/Containerfile");
  EXPECT_THAT(layer->files, ElementsAre(Pair("a/b", "data")));
  EXPECT_EQ(layer->origin, Origin::user);
}

TEST(LayerFromFiles, ALoneContainerfileIsALayer) {
  Diagnostics diagnostics;
  const auto tool =
      layer_from_files("foo", Origin::project, ".sheaf/layers", {{"Containerfile.Foo", "FROM x\n"}}, diagnostics);
  ASSERT_TRUE(tool.has_value()) << diagnostics.render();
  EXPECT_EQ(tool->kind, Kind::tool);
  EXPECT_EQ(tool->containerfile->name(), ".sheaf/layers/Containerfile.Foo");
  const auto base =
      layer_from_files("base", Origin::project, ".sheaf/layers", {{"Containerfile", "FROM x\n"}}, diagnostics);
  ASSERT_TRUE(base.has_value()) << diagnostics.render();
  EXPECT_EQ(base->kind, Kind::base);
}

TEST(LayerFromFiles, MissesContainerfiles) {
  Diagnostics diagnostics;
  const std::string yml = "summary: s\nkind: tool\nfamilies: {deb: , apk: Containerfile.apk}\n";
  EXPECT_FALSE(layer_from_files("x", Origin::user, "layers/x", {{"layer.yml", yml}}, diagnostics).has_value());
  EXPECT_EQ(diagnostics.error_count(), 2U);
  EXPECT_THAT(diagnostics.render(),
              HasSubstr("layer 'x' has no file 'Containerfile.apk' in 'layers/x' [missing-file]"));
}

} // namespace
} // namespace sheaf::catalogue
