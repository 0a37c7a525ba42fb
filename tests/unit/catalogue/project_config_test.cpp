// SPDX-License-Identifier: Apache-2.0
#include "catalogue/project_config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace sheaf::catalogue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ProjectConfig parse(const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  auto config = parse_config(std::make_shared<const SourceText>(name, text), diagnostics);
  EXPECT_EQ(diagnostics.render(), "");
  return std::move(config).value();
}

TEST(ProjectConfig, AnEmptyFileSetsNothing) {
  EXPECT_THAT(show(parse("sheaf.yml", "")), IsEmpty());
  EXPECT_THAT(show(parse("sheaf.yml", "# nothing yet\n")), IsEmpty());
}

TEST(ProjectConfig, ShowsEachValueWithItsPlace) {
  const auto config = parse("sheaf.yml", R"(base: base
family: deb
layers: [python, node]
agents: [codex, opencode]
args:
  codex:
    version: 0.30
env: {EDITOR: vim}
mounts: ['~/data:/data:ro']
ports: [8080, '127.0.0.1:80:8080', '[::1]:53:53/udp']
snippet:
  file: .sheaf/Containerfile
tests: [{command: make check}]
)");
  EXPECT_THAT(show(config),
              ElementsAre(ConfigValue{"base", "base", "sheaf.yml:1"}, //
                          ConfigValue{"family", "deb", "sheaf.yml:2"},
                          ConfigValue{"layers", "[python, node]", "sheaf.yml:3"},
                          ConfigValue{"agents", "codex,opencode", "sheaf.yml:4"},
                          ConfigValue{"args.codex.version", "0.30", "sheaf.yml:7"},
                          ConfigValue{"env.EDITOR", "vim", "sheaf.yml:8"},
                          ConfigValue{"mounts", "[~/data:/data:ro]", "sheaf.yml:9"},
                          ConfigValue{"ports", "[8080, 127.0.0.1:80:8080, [::1]:53:53/udp]", "sheaf.yml:10"},
                          ConfigValue{"snippet", "file .sheaf/Containerfile", "sheaf.yml:11"},
                          ConfigValue{"tests", "[make check]", "sheaf.yml:13"}));
}

TEST(ProjectConfig, AgesOfVolatileLayers) {
  EXPECT_EQ(refresh_seconds(parse("config.yml", "refresh: 12h\n")), 12 * 3600);
  EXPECT_EQ(refresh_seconds(parse("config.yml", "refresh: 7d\n")), 7 * 24 * 3600);
  EXPECT_EQ(refresh_seconds(parse("config.yml", "refresh: 2w\n")), 14 * 24 * 3600);
  EXPECT_EQ(refresh_seconds(parse("config.yml", "refresh: never\n")), std::nullopt);
  EXPECT_EQ(refresh_seconds(parse("config.yml", "")), std::nullopt);
  for (const auto* wrong : {"0d", "7", "d", "-1h", "1.5d", "1m", "99999w"}) {
    Diagnostics diagnostics;
    const auto text = fmt::format("refresh: '{}'\n", wrong);
    EXPECT_FALSE(parse_config(std::make_shared<const SourceText>("config.yml", text), diagnostics)) << wrong;
    EXPECT_THAT(diagnostics.render(), testing::HasSubstr("is no age")) << wrong;
  }
}

std::string mistakes(const std::string& text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_config(std::make_shared<const SourceText>("sheaf.yml", text), diagnostics)) << text;
  return diagnostics.render();
}

TEST(ProjectConfig, ReadsAStackLevelByLevel) {
  const auto config = parse("sheaf.yml", R"(image: registry.example.org/team/env:1
stacks:
  - name: base
  - {name: aws, layers: [aws, cdk]}
  - name: ai
    agents: [codex, opencode]
)");
  ASSERT_TRUE(config.stacks);
  EXPECT_THAT(*config.stacks, ElementsAre(StackLevel{"base", {}, ""}, StackLevel{"aws", {"aws", "cdk"}, ""},
                                          StackLevel{"ai", {}, "codex,opencode"}));
  EXPECT_EQ(config.origins.at("stacks.ai"), "sheaf.yml:5");
  EXPECT_EQ(config.image, "registry.example.org/team/env:1");
  const auto merged = merge(std::array{config, parse("config.yml", "stacks: [{name: other}]\n")});
  EXPECT_EQ(merged.stacks->size(), 3U);
  EXPECT_EQ(merged.origins.at("stacks.aws"), "sheaf.yml:4");
  EXPECT_FALSE(merged.origins.contains("stacks.other"));
}

TEST(ProjectConfig, TellsMistakesOfStacks) {
  EXPECT_THAT(mistakes("stacks: [{name: A b}]\n"), testing::HasSubstr("'A b' cannot be the name of a level"));
  EXPECT_THAT(mistakes("stacks: [{name: l2-cli}]\n"), testing::HasSubstr("'l2-cli' cannot be"));
  EXPECT_THAT(mistakes("stacks: [{name: a}, {name: a}]\n"), testing::HasSubstr("there are two levels 'a'"));
  EXPECT_THAT(mistakes("stacks: [{layers: [a]}]\n"), testing::HasSubstr("needs 'name'"));
  EXPECT_THAT(mistakes("stacks: {a: b}\n"), testing::HasSubstr("'stacks'"));
}

TEST(ProjectConfig, APasswordOfARepositoryIsRefused) {
  EXPECT_THAT(mistakes("repo: https://me:secret@git.example.org/app.git\n"), testing::HasSubstr("secret-in-address"));
  for (const auto* repo : {"https://git.example.org:8443/app.git", "git@git.example.org:team/app.git",
                           "ssh://git@git.example.org:2222/app", "https://me@git.example.org/a:b@c", "../app"}) {
    EXPECT_EQ(parse("sheaf.yml", fmt::format("repo: {}\n", repo)).repo, repo);
  }
}

TEST(ProjectConfig, ReadsRegistries) {
  const auto config = parse("config.yml", R"(registries:
  registry.example.org:
    mirrors: [mirror.example.org:5000/cache]
    ca: /etc/ssl/team.pem
  "localhost:5000": {insecure: true}
)");
  EXPECT_THAT(show(config), ElementsAre(ConfigValue{"registries.localhost:5000", "insecure", "config.yml:5"},
                                        ConfigValue{"registries.registry.example.org",
                                                    "mirrors [mirror.example.org:5000/cache], ca /etc/ssl/team.pem",
                                                    "config.yml:2"}));
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_config(
      std::make_shared<const SourceText>("config.yml", "registries: {'https://x/': {insecure: maybe, cq: 1}}"),
      diagnostics));
  EXPECT_EQ(diagnostics.error_count(), 3U);
}

TEST(ProjectConfig, StrongerLevelsWinAndMapsMergeByEntry) {
  ProjectConfig flags;
  flags.agents = "none";
  flags.origins["agents"] = "--agents";
  const std::array levels = {
      flags,
      parse("sheaf.yml", "agents: all\nlayers: []\nenv: {A: project}\nargs: {node: {version: 20}}\n"),
      parse("config.yml", "layers: [go]\nenv: {A: user, B: user}\nargs: {node: {version: 18, flavour: x}}\n"),
  };
  EXPECT_THAT(show(merge(levels)), ElementsAre(ConfigValue{"layers", "[]", "sheaf.yml:2"}, //
                                               ConfigValue{"agents", "none", "--agents"},
                                               ConfigValue{"args.node.flavour", "x", "config.yml:3"},
                                               ConfigValue{"args.node.version", "20", "sheaf.yml:4"},
                                               ConfigValue{"env.A", "project", "sheaf.yml:3"},
                                               ConfigValue{"env.B", "user", "config.yml:2"}));
}

TEST(ProjectConfig, MergingIsAssociative) {
  const auto a = parse("a", "base: x\nenv: {A: a}\n");
  const auto b = parse("b", "base: y\nrepo: r\nenv: {A: b, B: b}\n");
  const auto c = parse("c", "repo: s\ngpus: all\nenv: {B: c, C: c}\n");
  const auto left = show(merge(std::array{merge(std::array{a, b}), c}));
  const auto right = show(merge(std::array{a, merge(std::array{b, c})}));
  EXPECT_EQ(left, right);
}

TEST(ProjectConfig, TheBaseIsALayerOrAnImage) {
  for (const auto* layer : {"base", "debian-slim", "all"}) {
    EXPECT_FALSE(names_image(layer)) << layer;
  }
  for (const auto* image :
       {"debian:12", "ghcr.io/example/devbase", "localhost:5055/bases/debian:12", "team/app", "oci-layout://image.tar",
        "app@sha256:0000000000000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_TRUE(names_image(image)) << image;
    EXPECT_FALSE(image_name_mistake(image)) << image;
    EXPECT_EQ(parse("sheaf.yml", fmt::format("base: {}\n", image)).base, image);
  }
}

TEST(ProjectConfig, AnImageThatIsNoneIsShownInItsPlace) {
  for (const auto* name : {"debian:", "ghcr.io/Example/devbase:1", "app@sha256:12", "oci-layout://"}) {
    Diagnostics diagnostics;
    const auto source = std::make_shared<const SourceText>("sheaf.yml", fmt::format("agents: all\nbase: '{}'\n", name));
    EXPECT_FALSE(parse_config(source, diagnostics)) << name;
    EXPECT_THAT(diagnostics.render(), testing::HasSubstr("sheaf.yml:2:7")) << name;
    EXPECT_THAT(diagnostics.render(), testing::HasSubstr("bad-image")) << name;
  }
}

} // namespace
} // namespace sheaf::catalogue
