// SPDX-License-Identifier: Apache-2.0
#include "join/join.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

const Files k_base = {{"etc/shells", "/bin/sh\n"}, {"etc/environment", "A=1\n"}};

TEST(Join, OfNothingIsNothing) {
  const auto result = join_facts(k_base, {});
  EXPECT_TRUE(result.files.empty());
  EXPECT_TRUE(result.conflicts.empty());
}

TEST(Join, HasEachTouchedFileOnce) {
  const auto result =
      join_facts(k_base, {{"a", facts_of(k_base, {{"etc/shells", "/bin/sh\n/bin/a\n"}})},
                          {"b", facts_of(k_base, {{"etc/shells", "/bin/sh\n/bin/b\n"}, {"etc/group", "g:x:9:\n"}})}});
  EXPECT_EQ(result.files, (Files{{"etc/group", "g:x:9:\n"}, {"etc/shells", "/bin/sh\n/bin/a\n/bin/b\n"}}));
}

TEST(Join, ALayerBuiltOnAnotherContinuesIt) {
  const Files parent = {{"etc/environment", "A=2\n"}};
  const NamedFacts below = {"below", facts_of(k_base, parent)};
  const NamedFacts above = {"above", facts_of(parent, {{"etc/environment", "A=3\n"}})};
  const auto result = join_facts(k_base, {below, above});
  EXPECT_TRUE(result.conflicts.empty());
  EXPECT_EQ(result.files.at("etc/environment"), "A=3\n");
}

TEST(Join, ADependantMeetsWhatASiblingDidMeanwhile) {
  const Files base = {{"etc/group", "g:x:9:\n"}};
  const Files parent = {{"etc/group", "g:x:9:below\n"}};
  const NamedFacts below = {"below", facts_of(base, parent)};
  const NamedFacts sibling = {"sibling", facts_of(base, {{"etc/group", "g:x:9:sibling\n"}})};
  const NamedFacts above = {"above", facts_of(parent, {{"etc/group", "g:x:9:below,above\n"}})};
  EXPECT_EQ(join_facts(base, {below, above, sibling}).files.at("etc/group"), "g:x:9:above,below,sibling\n");
  EXPECT_EQ(join_facts(base, {below, sibling, above}).files.at("etc/group"), "g:x:9:above,below,sibling\n");
  EXPECT_EQ(join_facts(base, {sibling, below, above}).files.at("etc/group"), "g:x:9:above,below,sibling\n");
}

TEST(Join, NamesTheLayersOfAConflict) {
  const auto result = join_facts(k_base, {{"a", facts_of(k_base, {{"etc/environment", "A=2\n"}})},
                                          {"b", facts_of(k_base, {{"etc/environment", "A=3\n"}})}});
  ASSERT_EQ(result.conflicts.size(), 1U);
  const auto& conflict = result.conflicts[0];
  EXPECT_EQ(conflict.layer_a, "a");
  EXPECT_EQ(conflict.layer_b, "b");
  EXPECT_EQ(conflict.value_a, "A=2");
  EXPECT_EQ(conflict.value_b, "A=3");
  EXPECT_EQ(conflict.remedies.size(), 2U);
}

TEST(Join, NoticesAnotherBase) {
  const auto result =
      join_facts({{"etc/environment", "A=9\n"}}, {{"a", facts_of(k_base, {{"etc/environment", "A=2\n"}})}});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].layer_a, "");
  EXPECT_EQ(result.conflicts[0].remedies[0], "build layer 'a' again on this base");
}

TEST(Join, RefusesFactsOfAnUnknownKind) {
  const Facts facts = {{{"etc/hosts", "k", std::nullopt, "v"}}};
  const Layer layers[] = {{"new", &facts}};
  const auto result = join([](auto) -> Result<std::optional<std::string>> { return std::nullopt; }, layers);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::unsupported);
  EXPECT_EQ(result.error().summary(), "joining '/etc/hosts': layer 'new' has facts of a file of no known kind");
}

TEST(Join, PassesTheErrorOfTheBase) {
  const Facts facts = {{{"etc/shells", "k", std::nullopt, "v"}}};
  const Layer layers[] = {{"a", &facts}};
  const auto result =
      join([](auto) -> Result<std::optional<std::string>> { return Error(ErrorCode::denied, "no"); }, layers);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::denied);
}

TEST(Join, NamesTheLayerThatARecordIsAtOddsWith) {
  const std::string base = "u:x:1:1::/home:/bin/sh\n";
  const auto result = join_texts(
      "etc/passwd", base, {"u:x:1:1::/home:/bin/bash\n", "u:x:1:1::/srv:/bin/sh\n", "u:x:1:1::/home:/bin/zsh\n"});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].layer_a, "a") << "'b' set the line last, but another field of it";
  EXPECT_EQ(result.conflicts[0].layer_b, "c");
}

} // namespace
} // namespace sheaf::join
