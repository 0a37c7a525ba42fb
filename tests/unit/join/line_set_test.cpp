// SPDX-License-Identifier: Apache-2.0
#include "join/line_set.hpp"

#include <fmt/format.h>

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

TEST(LineSet, OwnsWhatSystemdsHelpersAndCatalogsKeep) {
  const LineSet driver;
  for (const auto file : {"var/lib/systemd/deb-systemd-helper-enabled/ssh.service.dsh-also",
                          "var/lib/systemd/deb-systemd-user-helper-enabled/sub/x.service.dsh-also",
                          "etc/sgml/xml-core.cat", "var/lib/pam/seen", "var/lib/shells.state"}) {
    EXPECT_TRUE(driver.owns(file)) << file;
  }
  for (const auto file : {"var/lib/systemd/deb-systemd-helper-enabled/ssh.service", "var/lib/systemd/x.dsh-also",
                          "etc/sgml/sub/x.cat", "etc/xml/catalog"}) {
    EXPECT_FALSE(driver.owns(file)) << file;
  }
}

TEST(LineSet, KeysCertificatesByName) {
  const std::string_view file = "etc/ca-certificates.conf";
  const std::string base = "# one per line\nmozilla/a.crt\nmozilla/b.crt\n";
  EXPECT_EQ(joined_text(file, base, {"# one per line\n!mozilla/a.crt\nmozilla/b.crt\n", base + "corp/x.crt\n"}),
            "# one per line\n!mozilla/a.crt\nmozilla/b.crt\ncorp/x.crt\n");
  EXPECT_EQ(join_texts(file, base, {base + "corp/x.crt\n", base + "!corp/x.crt\n"}).conflicts.size(), 1U);
}

TEST(LineSet, ALocaleThatOneLayerWantsIsWanted) {
  const std::string_view file = "etc/locale.gen";
  const std::string head = "# This file lists locales that you wish to have built.\n\n\n";
  const std::string base = head + "# de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8\n";
  EXPECT_EQ(joined_text(file, base,
                        {head + "de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8\n",
                         head + "# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\nC.UTF-8 UTF-8\n", base}),
            head + "de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\nC.UTF-8 UTF-8\n");
  // The base has no such file: each layer installed it, and wants another locale.
  const Files layers[] = {{{std::string(file), head + "de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8\n"}},
                          {{std::string(file), head + "# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n"}}};
  const std::vector<NamedFacts> facts = {{"a", facts_of({}, layers[0])}, {"b", facts_of({}, layers[1])}};
  const auto result = join_facts({}, facts);
  EXPECT_TRUE(result.conflicts.empty());
  EXPECT_EQ(text_of(result.files, file), head + "de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n");
  EXPECT_EQ(join_facts({}, {facts[1], facts[0]}).files, result.files);
  EXPECT_EQ(join_facts(result.files, facts).files, result.files);
}

TEST(LineSet, ANewFileKeepsItsOrder) {
  const std::string_view file = "etc/sgml/catalog";
  const auto catalog = [](std::string_view name) { return fmt::format("--\n## head\n--\nCATALOG {}\n", name); };
  const std::vector<NamedFacts> facts = {{"a", facts_of({}, {{std::string(file), catalog("z")}})},
                                         {"b", facts_of({}, {{std::string(file), catalog("c")}})}};
  EXPECT_EQ(text_of(join_facts({}, facts).files, file), catalog("c") + "CATALOG z\n");
}

} // namespace
} // namespace sheaf::join
