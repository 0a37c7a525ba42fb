// SPDX-License-Identifier: Apache-2.0
#include "join/text_merge.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sheaf::join {
namespace {

using namespace std::string_view_literals;
using Texts = std::vector<std::string_view>;
constexpr std::string_view k_conflict = "<conflict>";

std::string merged(std::optional<std::string_view> base, const Texts& sides) {
  return merge_texts(base, sides).value_or(std::string(k_conflict));
}

TEST(TextMerge, WhatIsAppendedComesInTheOrderOfTheLayers) {
  EXPECT_EQ(merged("a\n", {"a\nx\n", "a\ny\n"}), "a\nx\ny\n");
  EXPECT_EQ(merged("a\n", {"a\ny\n", "a\nx\n"}), "a\ny\nx\n");
  EXPECT_EQ(merged("", {"x\n", "y\n", "x\n"}), "x\ny\n");
}

TEST(TextMerge, WithoutAFinalNewlineNothingIsSure) {
  // Two values for one setting, or two additions to the line?
  EXPECT_EQ(merged("A=1", {"A=12\n", "A=13\n"}), k_conflict);
  EXPECT_EQ(merged("a\n", {"a\nx", "a\ny\n"}), k_conflict);
  EXPECT_EQ(merged("a\nb\nc", {"x\na\nb\nc", "a\nb\ncy\n"}), k_conflict);
  EXPECT_EQ(merged("a", {"a", "ax"}), "ax") << "one side only";
}

TEST(TextMerge, AdditionsAtSeveralPlaces) {
  EXPECT_EQ(merged("a\nb\nc\n", {"1\na\nb\nc\n", "a\nb\n2\nc\n", "a\nb\n3\nc\n4\n"}), "1\na\nb\n2\n3\nc\n4\n");
  EXPECT_EQ(merged("a\nb\n", {"a\nx\nb\n", "a\nx\nb\n5\n"}), "a\nx\nb\n5\n");
}

TEST(TextMerge, ChangesApartFromEachOther) {
  EXPECT_EQ(merged("a\nb\nc\nd\n", {"A\nb\nc\nd\n", "a\nb\nC\nd\n"}), "A\nb\nC\nd\n");
  EXPECT_EQ(merged("a\nb\nc\n", {"b\nc\n", "a\nb\nc\nd\n"}), "b\nc\nd\n");
  EXPECT_EQ(merged("a\nb\nc\n", {"a\nB\nc\n", "a\nB\nc\n9\n"}), "a\nB\nc\n9\n");
}

TEST(TextMerge, ChangesAtOnePlaceAreAConflict) {
  EXPECT_EQ(merged("a\nb\n", {"A\nb\n", "AA\nb\n"}), k_conflict);
  EXPECT_EQ(merged("a\nb\n", {"A\nb\n", "a\nB\n"}), k_conflict) << "next to each other";
  EXPECT_EQ(merged("a\nb\n", {"A\nb\n", "a\nx\nb\n"}), k_conflict) << "an addition next to a change";
  EXPECT_EQ(merged("a\nb\n", {"x\na\nb\n", "b\n"}), k_conflict) << "an addition next to a deletion";
  EXPECT_EQ(merged("a\nb\nc\nd\n", {"", "a\nb\nx\nc\nd\n"}), k_conflict) << "within what was deleted";
}

TEST(TextMerge, EqualSidesCountOnce) {
  EXPECT_EQ(merged("a\n", {"b\n", "b\n", "a\n"}), "b\n");
  EXPECT_EQ(merged("a\n", {}), "a\n");
  EXPECT_EQ(merged(std::nullopt, {"a\n", "a\n"}), "a\n");
  EXPECT_EQ(merged(std::nullopt, {}), k_conflict);
}

TEST(TextMerge, NeedsABaseAndText) {
  EXPECT_EQ(merged(std::nullopt, {"a\nb\n", "a\nc\n"}), k_conflict);
  EXPECT_EQ(merged("a\n", {"a\nx\n"sv, "a\n\0\n"sv}), k_conflict);
  EXPECT_EQ(merged("a\0\n"sv, {"a\0\nx\n"sv, "a\0\ny\n"sv}), k_conflict);
  EXPECT_EQ(merged("a\n", {"\0"sv, "\0"sv}), "\0"sv);
}

TEST(TextMerge, TooManyChangesAreAConflictAndLongAdditionsAreNot) {
  std::string many = "a\n";
  std::string scattered = "a\n";
  std::string base = "a\n";
  for (int i = 0; i < 3000; ++i) {
    base += std::to_string(i) + "\n";
    scattered += "x" + std::to_string(i) + "\n" + std::to_string(i) + "\n";
    many += "y\n";
  }
  many += base.substr(2);
  EXPECT_EQ(merged(base, {many, base + "end\n"}), many + "end\n");
  EXPECT_EQ(merged(base, {scattered, "begin\n" + base}), k_conflict);
}

} // namespace
} // namespace sheaf::join
