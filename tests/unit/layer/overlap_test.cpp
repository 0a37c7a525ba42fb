// SPDX-License-Identifier: Apache-2.0
#include "layer/overlap.hpp"

#include <gmock/gmock.h>

#include "unit/layer/layer_support.hpp"

namespace sheaf::layer {
namespace {

using testing::IsEmpty;

BaseDirectory base_with(const Entry& entry) {
  return [entry](const std::string& path) { return path == entry.path ? std::optional(entry) : std::nullopt; };
}

std::string only_conflict(const Entry& a, const Entry& b) {
  const auto overlaps = overlaps_of({{"a", {a}, {}}, {"b", {b}, {}}}, no_base);
  EXPECT_EQ(overlaps.conflicts.size(), 1U);
  return overlaps.conflicts.empty() ? "" : overlaps.conflicts[0].what;
}

TEST(Overlap, DisjointLayersHaveNone) {
  const auto overlaps = overlaps_of({{"a", {file("a")}, {}}, {"b", {file("b")}, {}}, {"c", {}, {}}}, no_base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  EXPECT_EQ(overlaps.harmless, 0U);
}

TEST(Overlap, IdenticalButForTimeIsHarmless) {
  auto later = file("x");
  later.mtime += 10;
  const auto overlaps =
      overlaps_of({{"a", {file("x"), whiteout("y")}, {}}, {"b", {later, whiteout("y")}, {}}}, no_base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  EXPECT_EQ(overlaps.harmless, 2U);
}

TEST(Overlap, NamesTheKindOfConflict) {
  auto executable = file("x");
  executable.mode = 0755;
  auto owned = file("x");
  owned.gid = 7;
  EXPECT_EQ(only_conflict(file("x", "1"), file("x", "2")), "contents");
  EXPECT_EQ(only_conflict(link_to("x", "1"), link_to("x", "2")), "contents");
  EXPECT_EQ(only_conflict(file("x"), executable), "mode or owner");
  EXPECT_EQ(only_conflict(file("x"), owned), "mode or owner");
  EXPECT_EQ(only_conflict(file("x"), directory("x")), "type");
  EXPECT_EQ(only_conflict(file("x"), whiteout("x")), "deleted by one");
  EXPECT_EQ(only_conflict(whiteout("x"), directory("x")), "deleted by one");
}

TEST(Overlap, SaysWhoAndWhere) {
  const auto overlaps =
      overlaps_of({{"one", {file("usr/odd\tname", "1")}, {}}, {"two", {file("usr/odd\tname", "2")}, {}}}, no_base);
  ASSERT_EQ(overlaps.conflicts.size(), 1U);
  EXPECT_EQ(overlaps.conflicts[0].path, "/usr/odd\tname");
  EXPECT_EQ(overlaps.conflicts[0].first, "one");
  EXPECT_EQ(overlaps.conflicts[0].second, "two");
}

TEST(Overlap, WhatALayerWasBuiltOnItMayChange) {
  const auto overlaps = overlaps_of({{"a", {file("x", "1")}, {}}, {"b", {file("x", "2")}, {"a"}}}, no_base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
}

TEST(Overlap, AThirdLayerStillConflicts) {
  const auto overlaps =
      overlaps_of({{"a", {file("x", "1")}, {}}, {"b", {file("x", "2")}, {"a"}}, {"c", {file("x", "3")}, {}}}, no_base);
  ASSERT_EQ(overlaps.conflicts.size(), 1U);
  EXPECT_EQ(overlaps.conflicts[0].second, "c");
}

TEST(Overlap, ConflictsComeInTheOrderOfPaths) {
  const auto overlaps = overlaps_of({{"a", {file("a", "1"), file("a/b", "1"), file("a.c", "1")}, {}},
                                     {"b", {file("a", "2"), file("a/b", "2"), file("a.c", "2")}, {}}},
                                    no_base);
  ASSERT_EQ(overlaps.conflicts.size(), 3U);
  EXPECT_EQ(overlaps.conflicts[0].path, "/a");
  EXPECT_EQ(overlaps.conflicts[1].path, "/a.c");
  EXPECT_EQ(overlaps.conflicts[2].path, "/a/b");
}

TEST(Overlap, ADeclaredReplacementWinsIfItIsLater) {
  const auto entries = [](const char* content) { return std::vector{file("x", content)}; };
  EXPECT_THAT(overlaps_of({{"a", entries("1"), {}}, {"b", entries("2"), {}, {"a"}}}, no_base).conflicts, IsEmpty());
  EXPECT_EQ(overlaps_of({{"a", entries("1"), {}, {"b"}}, {"b", entries("2"), {}}}, no_base).conflicts.size(), 1U);
}

TEST(Overlap, WhatTheJoinMergesIsNoConflict) {
  const auto merged = [](const std::string& path) { return path == "x"; };
  const auto overlaps = overlaps_of(
      {{"a", {file("x", "1"), file("y", "1")}, {}}, {"b", {file("x", "2"), file("y", "2")}, {}}}, no_base, merged);
  ASSERT_EQ(overlaps.conflicts.size(), 1U);
  EXPECT_EQ(overlaps.conflicts[0].path, "/y");
}

TEST(Overlap, NamesTheClassOfEveryPath) {
  const auto merged = [](const std::string& path) { return path == "m"; };
  const auto overlaps = overlaps_of(
      {{"a", {directory("d"), file("i"), file("m", "1"), file("r", "1"), file("s", "1"), file("x", "1")}, {}},
       {"b", {directory("d"), file("i"), file("m", "2"), file("r", "2"), file("x", "2")}, {}, {}},
       {"c", {file("s", "2")}, {"a"}}},
      no_base, merged);
  std::map<std::string, OverlapClass> kinds;
  for (const auto& overlap : overlaps.all) {
    kinds.emplace(overlap.path, overlap.kind);
  }
  const std::map<std::string, OverlapClass> expected = {
      {"/d", OverlapClass::directory}, {"/i", OverlapClass::identical},  {"/m", OverlapClass::merged},
      {"/r", OverlapClass::conflict},  {"/s", OverlapClass::sequential}, {"/x", OverlapClass::conflict}};
  EXPECT_EQ(kinds, expected);
}

TEST(OverlapDirectory, WhoHasItAsTheBaseHasItSaysNothing) {
  const auto base = base_with(directory("d", 0755));
  const auto overlaps = overlaps_of({{"a", {directory("d", 0700)}, {}}, {"b", {directory("d", 0755)}, {}}}, base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  ASSERT_EQ(overlaps.fixes.size(), 1U);
  EXPECT_EQ(overlaps.fixes[0].wanted.path, "d");
  EXPECT_EQ(overlaps.fixes[0].wanted.mode, 0700U);
}

TEST(OverlapDirectory, NoFixIsNeededWhenTheSpeakerIsOnTop) {
  const auto base = base_with(directory("d", 0755));
  const auto overlaps = overlaps_of({{"a", {directory("d", 0755)}, {}}, {"b", {directory("d", 0700)}, {}}}, base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  EXPECT_THAT(overlaps.fixes, IsEmpty());
}

TEST(OverlapDirectory, TwoWishesAreAConflict) {
  const auto base = base_with(directory("d", 0755));
  const auto overlaps = overlaps_of({{"a", {directory("d", 0700)}, {}}, {"b", {directory("d", 0711)}, {}}}, base);
  ASSERT_EQ(overlaps.conflicts.size(), 1U);
  EXPECT_EQ(overlaps.conflicts[0].what, "mode or owner");
  EXPECT_EQ(
      overlaps_of({{"a", {directory("d", 0700)}, {}}, {"b", {directory("d", 0755)}, {}}}, no_base).conflicts.size(),
      1U);
}

TEST(OverlapDirectory, EqualWishesAndTimesAreNone) {
  auto later = directory("d", 0700);
  later.mtime += 9;
  const auto overlaps = overlaps_of({{"a", {directory("d", 0700)}, {}}, {"b", {later}, {}}}, no_base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  EXPECT_THAT(overlaps.fixes, IsEmpty());
}

TEST(OverlapDirectory, ALaterWishOfTheSameChainWins) {
  const auto base = base_with(directory("d", 0755));
  const auto overlaps = overlaps_of(
      {{"a", {directory("d", 0700)}, {}}, {"b", {directory("d", 0711)}, {"a"}}, {"c", {directory("d", 0755)}, {}}},
      base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  ASSERT_EQ(overlaps.fixes.size(), 1U);
  EXPECT_EQ(overlaps.fixes[0].wanted.mode, 0711U);
}

/// "b" was built on "a", saw 0700 and set the directory back to what the base has: that is a wish too.
TEST(OverlapDirectory, SettingItBackIsAWish) {
  const auto base = base_with(directory("d", 0755));
  const auto overlaps = overlaps_of({{"a", {directory("d", 0700)}, {}}, {"b", {directory("d", 0755)}, {"a"}}}, base);
  EXPECT_THAT(overlaps.conflicts, IsEmpty());
  EXPECT_THAT(overlaps.fixes, IsEmpty());
}

TEST(OverlapDirectory, AttributesCount) {
  auto marked = directory("d");
  marked.attributes = {{"user.x", "1"}};
  const auto overlaps = overlaps_of({{"a", {marked}, {}}, {"b", {directory("d")}, {}}}, base_with(directory("d")));
  ASSERT_EQ(overlaps.fixes.size(), 1U);
  EXPECT_EQ(overlaps.fixes[0].wanted.attributes.size(), 1U);
}

TEST(Overlap, ABrokenLineIsCorrupt) {
  const std::string text = "sheaf-inventory 1\nd\tx\t0\t0\t0\t0\t-\t-\t-\tp\n";
  const auto lines = split_inventory(text).value();
  const auto result = find_overlaps({{"a", {}, {}, lines}, {"b", {}, {}, lines}}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
}

/// A line with too few fields must not throw from the comparison of files.
TEST(Overlap, AShortLineIsCorruptAndDoesNotThrow) {
  const std::string one = "sheaf-inventory 1\nf\t0644\tp\n";
  const std::string two = "sheaf-inventory 1\nf\t0600\tp\n";
  const std::vector<LayerPaths> layers = {{"a", {}, {}, split_inventory(one).value()},
                                          {"b", {}, {}, split_inventory(two).value()}};
  ASSERT_NO_THROW({
    const auto result = find_overlaps(layers, {});
    EXPECT_FALSE(result);
  });
}

TEST(Overlap, ADirectoryMadeAnewDoesNotHideWhatWasRemoved) {
  const TestLayer removes{"a", {whiteout("d")}, {}};
  const TestLayer makes_anew{"b", {directory("d")}, {"a"}};
  const TestLayer fills{"c", {directory("d"), file("d/x")}, {}};
  const auto overlaps = overlaps_of({removes, makes_anew, fills}, no_base);
  ASSERT_EQ(overlaps.conflicts.size(), 1U);
  EXPECT_EQ(overlaps.conflicts[0].first, "a");
  EXPECT_EQ(overlaps.conflicts[0].second, "c");
  EXPECT_THAT(overlaps_of({removes, makes_anew}, no_base).conflicts, IsEmpty());
}

} // namespace
} // namespace sheaf::layer
