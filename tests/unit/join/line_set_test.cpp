// SPDX-License-Identifier: Apache-2.0
#include "join/line_set.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

TEST(LineSet, OwnsTriggersButNotTheirBookkeeping) {
  const LineSet driver;
  EXPECT_TRUE(driver.owns("var/lib/dpkg/triggers/File"));
  EXPECT_TRUE(driver.owns("var/lib/dpkg/triggers/ldconfig"));
  for (const auto file : {"var/lib/dpkg/triggers/Lock", "var/lib/dpkg/triggers/Unincorp", "var/lib/dpkg/triggers/",
                          "var/lib/dpkg/triggers/File.new", "var/lib/dpkg/triggers/a/b", "etc/shells-old"}) {
    EXPECT_FALSE(driver.owns(file)) << file;
  }
}

TEST(LineSet, UnitesLines) {
  const std::string base = "# valid login shells\n/bin/sh\n\n/bin/bash\n\n";
  EXPECT_EQ(joined_text("etc/shells", base, {base + "/bin/zsh\n", base + "/bin/fish\n", base + "/bin/zsh\n"}),
            base + "/bin/fish\n/bin/zsh\n");
  EXPECT_EQ(joined_text("etc/shells", "/a\n/b\n", {"/a\n", "/a\n/b\n/c\n"}), "/a\n/c\n");
}

TEST(LineSet, KeysOverridesByPath) {
  const std::string_view file = "var/lib/dpkg/statoverride";
  EXPECT_EQ(joined_text(file, "", {"root ssl 710 /etc/x y\n", "root b 4754 /a\n"}),
            "root b 4754 /a\nroot ssl 710 /etc/x y\n");
  const auto result = join_texts(file, "", {"root ssl 710 /etc/x y\n", "root ssl 700 /etc/x y\n"});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message,
            "layer 'a' and layer 'b' say different things of '/etc/x y' in '/var/lib/dpkg/statoverride'");
}

TEST(LineSet, KeysTheEnvironmentByVariable) {
  EXPECT_EQ(joined_text("etc/environment", "PATH=/bin\n", {"PATH=/bin\nJ=1\n", "PATH=/x:/bin\n"}),
            "PATH=/x:/bin\nJ=1\n");
  EXPECT_EQ(join_texts("etc/environment", "", {"A=1\n", "A=2\n"}).conflicts.size(), 1U);
}

} // namespace
} // namespace sheaf::join
