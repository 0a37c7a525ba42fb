// SPDX-License-Identifier: Apache-2.0
#include "oci/reference.hpp"
#include "plan/image_names.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sheaf::plan {
namespace {

TEST(ImageNames, ATagOfABase) {
  EXPECT_EQ(base_tag("docker.io/library/Debian:12"), "docker.io-library-debian-12");
  EXPECT_EQ(base_tag("a//::b"), "a-b");
  EXPECT_EQ(base_tag("-.x_y.-"), "x_y");
  EXPECT_EQ(base_image_name("base"), "sheaf-l0:base");
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

TEST(ImageNames, AProjectsImageSaysWhetherItHasAgents) {
  EXPECT_EQ(project_image_name("app", {"codex"}), "app:l2-cli");
  EXPECT_EQ(project_image_name("My App__2", {}), "my-app_2:l2-dev");
  for (const auto* name : {"...", "Ünï", "a--b", "_x_", "x.-y", "UPPER"}) {
    EXPECT_TRUE(oci::Reference::parse(project_image_name(name, {}))) << name;
  }
}

} // namespace
} // namespace sheaf::plan
