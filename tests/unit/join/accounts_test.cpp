// SPDX-License-Identifier: Apache-2.0
#include "join/accounts.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

const std::string k_passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n";

TEST(Accounts, AddsUsersById) {
  EXPECT_EQ(joined_text("etc/passwd", k_passwd,
                        {k_passwd + "redis:x:852:852::/:/bin/false\n", k_passwd + "zed:x:99:99::/:/bin/false\n"}),
            k_passwd + "zed:x:99:99::/:/bin/false\nredis:x:852:852::/:/bin/false\n");
}

TEST(Accounts, MergesFieldsAndMembers) {
  EXPECT_EQ(joined_text("etc/passwd", "u:x:1:1:U:/home/u:/bin/sh\n",
                        {"u:x:1:1:U:/home/u:/bin/zsh\n", "u:x:1:1:New:/home/u:/bin/sh\n"}),
            "u:x:1:1:New:/home/u:/bin/zsh\n");
  EXPECT_EQ(joined_text("etc/group", "games:x:60:old,gone\n",
                        {"games:x:60:old,gone,bob\n", "games:x:60:old,gone,alice\n", "games:x:60:old\n"}),
            "games:x:60:alice,bob,old\n");
  EXPECT_EQ(joined_text("etc/gshadow", "g:!::\n", {"g:!:adm:x\n", "g:!::y\n"}), "g:!:adm:x,y\n");
  EXPECT_EQ(join_texts("etc/passwd", "", {"u:x:1:1:U:/:/bin/zsh\n", "u:x:1:1:U:/:/bin/sh\n"}).conflicts.size(), 1U);
}

TEST(Accounts, AnIdHasOneName) {
  const auto result = join_texts(
      "etc/passwd", k_passwd,
      {k_passwd + "redis:x:851:851::/:\n", k_passwd + "redis:x:851:851::/:\n", k_passwd + "foo:x:851:852::/:\n"});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message, "id 851 is taken by both 'redis' (layer 'a') and 'foo' (layer 'c')");
  EXPECT_EQ(result.conflicts[0].remedies[1], "give 'foo' an id of its own");
  const auto base = join_texts("etc/group", "adm:x:4:\n", {"adm:x:4:\nmine:x:4:\n"});
  ASSERT_EQ(base.conflicts.size(), 1U);
  EXPECT_EQ(base.conflicts[0].message, "id 4 is taken by both 'adm' (the base) and 'mine' (layer 'a')");
}

TEST(Accounts, OneLayerMayShareAnIdOnPurpose) {
  EXPECT_TRUE(join_texts("etc/passwd", k_passwd, {k_passwd + "a:x:9:9::/:\nb:x:9:9::/:\n"}).conflicts.empty());
}

TEST(Accounts, RangesDoNotOverlap) {
  const auto result = join_texts("etc/subuid", "", {"alice:100000:65536\n", "bob:165535:65536\n", "eve:231071:10\n"});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].message, "id 165535 is taken by both 'alice' (layer 'a') and 'bob' (layer 'b')");
  EXPECT_EQ(joined_text("etc/subuid", "", {"a:100000:10\na:500000:10\n", "b:200000:10\n"}),
            "a:100000:10\nb:200000:10\na:500000:10\n");
}

TEST(Accounts, TheDayOfAPasswordIsNoChange) {
  EXPECT_TRUE(facts_of({{"etc/shadow", "root:*:100:0:99999:7:::\n"}}, {{"etc/shadow", "root:*:200:0:99999:7:::\n"}})
                  .changes.empty());
  EXPECT_EQ(joined_text("etc/shadow", "", {"u:!:20001::::::\n", "u:!:20000::::::\n"}), "u:!:20000::::::\n");
}

TEST(Accounts, SecretsAreNotForAll) {
  const Accounts driver;
  EXPECT_EQ(driver.attributes("etc/shadow").mode, 0640U);
  EXPECT_EQ(driver.attributes("etc/gshadow").group, "shadow");
  EXPECT_EQ(driver.attributes("etc/passwd").mode, 0644U);
  EXPECT_FALSE(driver.owns("etc/passwd-"));
}

TEST(Accounts, WhoHoldsAnIdDoesNotDependOnTheOrder) {
  const std::string base = "root:x:0:0:root:/root:/bin/sh\n";
  const std::string changed = "root:x:0:0:root:/root:/bin/bash\n";
  const auto second = changed + "toor:x:0:0::/root:/bin/sh\n";
  for (const auto& uppers : {std::vector{changed, second}, std::vector{second, changed}}) {
    const auto result = join_texts("etc/passwd", base, uppers);
    ASSERT_EQ(result.conflicts.size(), 1U);
    EXPECT_EQ(result.conflicts[0].layer_a, "") << "the base gave root its id, whoever changed its shell";
  }
  // An id of the base does not hide that two layers share it too, nor does a layer that made both names.
  const std::string redis = "redis:x:851:\n";
  const std::string both = redis + "foo:x:851:\n";
  for (const auto& uppers : {std::vector{redis, both}, std::vector{both, redis}}) {
    EXPECT_TRUE(join_texts("etc/group", "", uppers).conflicts.empty());
  }
  const auto three = join_texts("etc/group", "", {redis, both, "bar:x:851:\n"});
  ASSERT_EQ(three.conflicts.size(), 1U);
  EXPECT_EQ(three.conflicts[0].layer_b, "c");
}

TEST(Accounts, SaysWhereItDoesNotParse) {
  EXPECT_EQ(Accounts().parse("etc/passwd", "a:x\n\nbroken\n").error().message(),
            "'/etc/passwd': line 3: expected 'name:...'");
}

} // namespace
} // namespace sheaf::join
