// SPDX-License-Identifier: Apache-2.0
#include "join/alternatives.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "var/lib/dpkg/alternatives/editor";

std::string group(std::string_view choices, std::string_view slaves = "", std::string_view status = "auto") {
  return std::string(status) + "\n/usr/bin/editor\n" + std::string(slaves) + "\n" + std::string(choices) + "\n";
}

constexpr std::string_view k_page = "editor.1.gz\n/man/editor.1.gz\n";

TEST(Alternatives, OwnsGroupsOnly) {
  const Alternatives driver;
  EXPECT_TRUE(driver.owns(k_file));
  EXPECT_FALSE(driver.owns("var/lib/dpkg/alternatives/"));
  EXPECT_FALSE(driver.owns("var/lib/dpkg/alternatives/editor.dpkg-tmp"));
  EXPECT_FALSE(driver.owns("etc/alternatives/editor"));
  EXPECT_EQ(driver.state_link(k_file), "etc/alternatives/editor");
}

TEST(Alternatives, UnitesChoicesAndSlaves) {
  const auto base = group("/bin/ed\n-100\n");
  const auto nano = group("/bin/ed\n-100\n\n/bin/nano\n40\n/man/nano.1.gz\n", k_page);
  const auto vim =
      group("/bin/ed\n-100\n\n/usr/bin/vim\n30\n/man/it/vim.1.gz\n", "editor.it.1.gz\n/man/it/editor.1.gz\n");
  EXPECT_EQ(joined_text(k_file, base, {nano, vim}),
            group("/bin/ed\n-100\n\n\n/bin/nano\n40\n/man/nano.1.gz\n\n/usr/bin/vim\n30\n\n/man/it/vim.1.gz\n",
                  "editor.1.gz\n/man/editor.1.gz\neditor.it.1.gz\n/man/it/editor.1.gz\n"));
  const auto links = join_texts(k_file, base, {nano, vim}).links;
  const Links expected = {{"usr/bin/editor", {"/etc/alternatives/editor", ""}},
                          {"etc/alternatives/editor", {"/bin/nano", ""}},
                          {"man/editor.1.gz", {"/etc/alternatives/editor.1.gz", "man/nano.1.gz"}},
                          {"etc/alternatives/editor.1.gz", {"/man/nano.1.gz", "man/nano.1.gz"}},
                          {"man/it/editor.1.gz", {}},
                          {"etc/alternatives/editor.it.1.gz", {}}};
  EXPECT_EQ(links, expected);
}

TEST(Alternatives, ForgetsSlavesNoChoiceHas) {
  EXPECT_EQ(reprinted(k_file, group("/bin/ed\n1\n\n", k_page)), group("/bin/ed\n1\n"));
}

TEST(Alternatives, ASlaveStaysWhereAnotherLayerNeedsIt) {
  const auto base = group("/bin/ed\n1\n\n/bin/vi\n2\n/man/vi\n", k_page);
  const auto none = group("/bin/ed\n1\n");
  const auto more = group("/bin/ed\n1\n\n/bin/nano\n9\n/man/nano\n/bin/vi\n2\n/man/vi\n", k_page);
  EXPECT_EQ(joined_text(k_file, base, {none, more}), group("/bin/ed\n1\n\n/bin/nano\n9\n/man/nano\n", k_page));
}

TEST(Alternatives, OnePriorityPerChoice) {
  const auto result = join_texts(k_file, group("/bin/ed\n1\n"), {group("/bin/ed\n2\n"), group("/bin/ed\n3\n")});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message,
            "layer 'a' and layer 'b' say different things of the choice /bin/ed of the alternatives 'editor'");
}

TEST(Alternatives, TheFirstOfEqualChoicesStays) {
  const auto base = group("/bin/ed\n1\n");
  const auto b = group("/bin/b\n5\n/bin/ed\n1\n");
  const auto c = group("/bin/c\n5\n/bin/ed\n1\n");
  EXPECT_EQ(join_texts(k_file, base, {b, c}).links.at("etc/alternatives/editor").target, "/bin/b");
  EXPECT_EQ(join_texts(k_file, base, {c, b}).links.at("etc/alternatives/editor").target, "/bin/c");
  // Within a layer only the link tells.
  const auto both = group("/bin/b\n5\n/bin/c\n5\n/bin/ed\n1\n");
  EXPECT_EQ(join_texts(k_file, base, {both}).links.at("etc/alternatives/editor").target, "/bin/b");
  EXPECT_EQ(join_texts(k_file, base, {both + "/bin/c\n"}).links.at("etc/alternatives/editor").target, "/bin/c");
  // What the base has was there before.
  EXPECT_EQ(join_texts(k_file, c, {both}).links.at("etc/alternatives/editor").target, "/bin/c");
}

TEST(Alternatives, ManualBeatsAutomatic) {
  const auto base = group("/bin/ed\n1\n/bin/vi\n2\n") + "/bin/vi\n";
  const auto manual = group("/bin/ed\n1\n/bin/vi\n2\n", "", "manual") + "/bin/ed\n";
  const auto better = group("/bin/ed\n1\n/bin/nano\n9\n/bin/vi\n2\n") + "/bin/nano\n";
  EXPECT_EQ(joined_text(k_file, base, {manual, better}), group("/bin/ed\n1\n/bin/nano\n9\n/bin/vi\n2\n", "", "manual"));
  EXPECT_EQ(join_texts(k_file, base, {manual, better}).links.at("etc/alternatives/editor").target, "/bin/ed");
  const auto other = group("/bin/ed\n1\n/bin/vi\n2\n", "", "manual") + "/bin/vi\n";
  EXPECT_EQ(join_texts(k_file, base, {manual, manual}).conflicts.size(), 0U);
  EXPECT_EQ(join_texts(k_file, base, {manual, other}).conflicts.size(), 1U);
}

TEST(Alternatives, AnUnknownManualChoiceGivesNoLinks) {
  const auto manual = group("/bin/ed\n1\n", "", "manual");
  const auto result = join_texts(k_file, "", {manual});
  EXPECT_EQ(result.files.at(std::string(k_file)), manual);
  EXPECT_TRUE(result.links.empty());
}

TEST(Alternatives, NothingIsLeftHanging) {
  const auto base = group("/bin/ed\n1\n/bin/vi\n2\n");
  const auto manual = group("/bin/ed\n1\n/bin/vi\n2\n", "", "manual") + "/bin/ed\n";
  // The choice was removed by the one and taken by the other.
  auto result = join_texts(k_file, base, {group("/bin/vi\n2\n"), manual});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].key, "choice /bin/ed");
  EXPECT_EQ(result.conflicts[0].layer_a, "a");
  EXPECT_EQ(result.conflicts[0].layer_b, "b");
  // Two slaves cannot share a link.
  result = join_texts(k_file, base,
                      {group("/bin/ed\n1\n/x\n/bin/vi\n2\n\n", "one\n/man/x\n"),
                       group("/bin/ed\n1\n\n/bin/vi\n2\n/x\n", "two\n/man/x\n")});
  EXPECT_FALSE(result.conflicts.empty());
}

TEST(Alternatives, AGroupThatOneRemovesStaysForTheChoicesOfAnother) {
  const auto base = group("/bin/ed\n1\n/man/ed\n", k_page);
  const auto more = group("/bin/ed\n1\n/man/ed\n/bin/nano\n9\n/man/nano\n", k_page);
  const auto only = group("/bin/nano\n9\n/man/nano\n", k_page);
  EXPECT_EQ(joined_text(k_file, base, {more, ""}), only);
  EXPECT_EQ(joined_text(k_file, base, {"", more}), only);
  EXPECT_EQ(join_texts(k_file, base, {"", more}).links.at("etc/alternatives/editor").target, "/bin/nano");
  // Somebody chose by hand, which is a change of the group's own record.
  const auto by_hand = group("/bin/ed\n1\n/man/ed\n/bin/nano\n9\n/man/nano\n", k_page, "manual") + "/bin/nano\n";
  EXPECT_EQ(joined_text(k_file, base, {by_hand, ""}), group("/bin/nano\n9\n/man/nano\n", k_page, "manual"));
  EXPECT_EQ(joined_text(k_file, base, {"", by_hand}), group("/bin/nano\n9\n/man/nano\n", k_page, "manual"));
  // The choice by hand is the one that goes.
  const auto chosen = group("/bin/ed\n1\n/man/ed\n", k_page, "manual") + "/bin/ed\n";
  EXPECT_EQ(joined_text(k_file, base, {chosen, ""}), "");
}

TEST(Alternatives, AGroupWithoutChoicesIsEmpty) {
  EXPECT_EQ(joined_text(k_file, group("/bin/ed\n1\n"), {""}), "");
  EXPECT_TRUE(join_texts(k_file, group("/bin/ed\n1\n"), {""}).links.empty());
}

TEST(Alternatives, RefusesWhatUpdateAlternativesWouldNotWrite) {
  const Alternatives driver;
  for (const std::string text : {"automatic\n/a\n\n\n", "auto\n", "auto\na\n\n\n", "auto\n/a\n", "auto\n/a\n\n",
                                 "auto\n/a\n\n/b\nhigh\n\n", "auto\n/a\n\n/b\n1\n", "auto\n/a\n\n/b\n1\n/b\n1\n\n",
                                 "auto\n/a\ns\n/a\n\n\n", "auto\n/a\neditor\n/b\n\n\n", "auto\n/a\n../s\n/b\n\n\n",
                                 "auto\n/a/../b\n\n\n", "auto\n/a\n\n\n/b\n/c\n", "auto\n/a\ns\n/s\n\n/b\n1\nx\n\n"}) {
    const auto records = driver.parse(k_file, text);
    EXPECT_FALSE(records) << text;
    EXPECT_EQ(records.error().code(), ErrorCode::corrupt) << text;
  }
  EXPECT_EQ(driver.parse(k_file, "auto\n/a\n\n/b\nhigh\n\n").error().message(),
            "'/var/lib/dpkg/alternatives/editor': line 5: expected a choice, an absolute path, and its priority");
}

TEST(Alternatives, RefusesRecordsThatLeadOutOfTheRoot) {
  const Alternatives driver;
  EXPECT_FALSE(driver.print(k_file, {{"choice /a", "1\n"}, {"link", "/../etc/passwd"}, {"status", "auto"}}));
  EXPECT_FALSE(driver.print(k_file, {{"choice /a", "1\n"}, {"status", "auto"}}));
}

TEST(Alternatives, TheLinksGoWithTheLastChoiceWhoeverRemovesIt) {
  const auto base = group("/bin/ed\n1\n/man/ed\n/bin/vi\n2\n\n", k_page);
  const auto result = join_texts(k_file, base, {group("/bin/ed\n1\n/man/ed\n", k_page), group("/bin/vi\n2\n")});
  EXPECT_TRUE(result.conflicts.empty());
  EXPECT_EQ(result.files.at(std::string(k_file)), "");
  ASSERT_TRUE(result.links.contains("etc/alternatives/editor"));
  EXPECT_EQ(result.links.at("etc/alternatives/editor"), Link());
}

TEST(Alternatives, OfEqualChoicesTheFirstPathFollowsARemovedOne) {
  const auto base = group("/bin/ed\n9\n");
  const auto nano = group("/bin/ed\n9\n/bin/nano\n1\n");
  const auto emacs = group("/bin/ed\n9\n/bin/emacs\n1\n");
  const auto removed = group("/bin/joe\n0\n");
  const auto target = [&](const std::vector<std::string>& uppers) {
    return join_texts(k_file, base, uppers).links.at("etc/alternatives/editor").target;
  };
  EXPECT_EQ(target({nano, emacs, removed}), "/bin/emacs") << "both were there when the better one went";
  EXPECT_EQ(target({nano, removed, emacs}), "/bin/nano") << "the link was there when the equal one came";
}

} // namespace
} // namespace sheaf::join
