// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace sheaf {
namespace {

TEST(Text, Splits) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(lines_of("a\n\nb"), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(lines_of("a\n"), (std::vector<std::string_view>{"a"}));
  EXPECT_TRUE(lines_of("").empty());
}

TEST(Text, WhatIsLeftOfBlanksHasAPlaceInThem) {
  const std::string_view text = "a; ;b";
  EXPECT_EQ(trim(" \t a b\n"), "a b");
  const auto nothing = trim(text.substr(2, 1));
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.data() - text.data(), 2);
}

TEST(Text, QuotesForTheShell) {
  EXPECT_EQ(shell_quote("plain-1.2/x"), "plain-1.2/x");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_join(std::array<std::string, 2>{"echo", "a b"}), "echo 'a b'");
}

TEST(Text, SaysSizesAndTimes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1500), "1.5 kB");
  EXPECT_EQ(human_bytes(222'500'000), "222 MB");
  EXPECT_EQ(human_milliseconds(3.21), "3.2 ms");
  EXPECT_EQ(human_milliseconds(1400), "1.4 s");
  EXPECT_EQ(human_milliseconds(125'000), "2 min 5 s");
}

TEST(Text, ReadsWholeNumbersOnly) {
  EXPECT_EQ(to_number<int>("42"), 42);
  EXPECT_EQ(to_number<int>("0755", 8), 0755);
  EXPECT_EQ(to_number<int>("42x"), std::nullopt);
  EXPECT_EQ(to_number<unsigned>(""), std::nullopt);
}

} // namespace
} // namespace sheaf
