// SPDX-License-Identifier: Apache-2.0
#include "oci/reference.hpp"
#include "plan/image_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace sheaf::plan {
namespace {

TEST(ImageNames, ATagOfABase) {
  EXPECT_EQ(base_tag("docker.io/library/Debian:12"), "docker.io-library-debian-12");
  EXPECT_EQ(base_tag("a//::b"), "a-b");
  EXPECT_EQ(base_tag("-.x_y.-"), "x_y");
  EXPECT_EQ(base_image_name("base"), "sheaf-l0:base");
}

struct NamedBase {
  std::string base;
  std::string tag;
};

TEST(ImageNames, WorkedExamplesOfBases) {
  const std::vector<NamedBase> examples = {
      {"ubuntu:24.04", "ubuntu-24.04"},
      {"quay.io/podman/stable:latest", "quay.io-podman-stable-latest"},
      {"--ubuntu-22.04--", "ubuntu-22.04"},
      {"Ubuntu:24.04", "ubuntu-24.04"},
      {"registry.example.org:5000/team/base:1", "registry.example.org-5000-team-base-1"},
      {"[::1]:5000/base", "1-5000-base"},
      {"debian@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
       "debian-sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
      {"oci-layout:///srv/images/base:1", "oci-layout-srv-images-base-1"},
      {"..hidden..", "hidden"},
      {"-._.-", "_"},
      {"a..b--c__d", "a..b--c__d"},
      {"b\xC3\xA4se", "b-se"},
      {"", "base"},
      {"://", "base"},
      {std::string(128, 'X'), std::string(128, 'x')},
  };
  for (const auto& example : examples) {
    EXPECT_EQ(base_tag(example.base), example.tag) << example.base;
    EXPECT_TRUE(oci::Reference::parse(base_image_name(example.base))) << example.base;
  }
}

struct NamedAgents {
  std::string base;
  std::vector<std::string> agents;
  std::string name;
};

TEST(ImageNames, WorkedExamplesOfAgents) {
  const std::vector<std::string> thirteen = {"aider",  "amp",   "claude", "codex",    "copilot", "crush", "cursor",
                                             "gemini", "goose", "kimi",   "opencode", "plandex", "qwen"};
  const std::string long_base = "registry.example.org/platform/environments/debian-with-everything:2026.11.21-bookworm";
  const auto hashed = agents_image_name(long_base, thirteen);
  const std::vector<NamedAgents> examples = {
      {"ubuntu:24.04", {}, "sheaf-l1-cli:ubuntu-24.04"},
      {"ubuntu:24.04", {"opencode", "codex"}, "sheaf-l1-cli:ubuntu-24.04-codex-opencode"},
      {"ubuntu:24.04", {"codex", "opencode", "codex"}, "sheaf-l1-cli:ubuntu-24.04-codex-opencode"},
      {"base", thirteen,
       "sheaf-l1-cli:base-aider-amp-claude-codex-copilot-crush-cursor-gemini-goose-kimi-opencode-plandex-qwen"},
      // printf aider,amp,…,qwen | sha1sum
      {long_base, thirteen,
       "sheaf-l1-cli:registry.example.org-platform-environments-debian-with-everything-2026.11.21-bookworm-"
       "0220552c060e8bd7255ff924f82d33649ae37392"},
      // What is short stays readable, and may then be equal: the labels and the digest say which it is.
      {"a-b", {"c"}, "sheaf-l1-cli:a-b-c"},
      {"a", {"b", "c"}, "sheaf-l1-cli:a-b-c"},
  };
  for (const auto& example : examples) {
    EXPECT_EQ(agents_image_name(example.base, example.agents), example.name) << example.base;
  }
  auto reversed = thirteen;
  std::ranges::reverse(reversed);
  EXPECT_EQ(agents_image_name(long_base, reversed), hashed);
  EXPECT_NE(agents_image_name(long_base, {thirteen.begin(), thirteen.end() - 1}), hashed);
}

TEST(ImageNames, TheBoundaryIs128) {
  const std::string tag_of = "sheaf-l1-cli:";
  const std::string fits(122, 'b'); // and "-codex" are 128
  EXPECT_EQ(agents_image_name(fits, {"codex"}), tag_of + fits + "-codex");
  const auto over = agents_image_name(fits + "b", {"codex"});
  EXPECT_EQ(over.size(), tag_of.size() + 128);
  EXPECT_FALSE(over.ends_with("-codex"));
}

TEST(ImageNames, LongNamesWithACommonBeginningStayApart) {
  const std::string common(110, 'c');
  const auto first = common + "/one/environment:2026.11";
  const auto second = common + "/two/environment:2026.11";
  EXPECT_NE(base_tag(first), base_tag(second));
  EXPECT_NE(agents_image_name(first, {}), agents_image_name(second, {}));
  EXPECT_NE(agents_image_name(first, {"codex"}), agents_image_name(second, {"codex"}));
  EXPECT_NE(base_tag(first), base_tag(common + "/ONE/environment:2026.11")) << "the digest is of the name as written";
  EXPECT_EQ(base_tag(first).size(), 128U);
}

TEST(ImageNames, AgentsAreSorted) {
  EXPECT_EQ(agents_image_name("base", {"opencode", "codex"}), "sheaf-l1-cli:base-codex-opencode");
  EXPECT_EQ(agents_image_name("base", {}), "sheaf-l1-cli:base");
}

TEST(ImageNames, LongOnesEndInADigestAndStayApart) {
  const std::string longer(200, 'x');
  std::set<std::string> names;
  for (const auto& base : {longer, longer + "y", longer + "/", std::string("base")}) {
    for (const auto& agents : {std::vector<std::string>{}, std::vector<std::string>(1, std::string(130, 'a')),
                               std::vector<std::string>{"codex"}, std::vector<std::string>{"codex", "opencode"}}) {
      const auto name = agents_image_name(base, agents);
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_LE(name.size() - std::string("sheaf-l1-cli:").size(), 128U);
      EXPECT_TRUE(oci::Reference::parse(name)) << name;
    }
  }
  EXPECT_EQ(base_tag(longer).size(), 128U);
}

TEST(ImageNames, ALevelOfAStackIsATag) { EXPECT_EQ(level_image_name("My App", "k8s"), "my-app:k8s"); }

TEST(ImageNames, AProjectsImageSaysWhetherItHasAgents) {
  EXPECT_EQ(project_image_name("app", {"codex"}), "app:l2-cli");
  EXPECT_EQ(project_image_name("My App__2", {}), "my-app_2:l2-dev");
  for (const auto* name : {"...", "Ünï", "a--b", "_x_", "x.-y", "UPPER"}) {
    EXPECT_TRUE(oci::Reference::parse(project_image_name(name, {}))) << name;
  }
}

} // namespace
} // namespace sheaf::plan
