// SPDX-License-Identifier: Apache-2.0
#include "app/test_output.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

TEST(OutputWatch, FindsWhatComesInPieces) {
  OutputWatch watch("version: 12");
  watch.add("the vers");
  watch.add("ion:");
  EXPECT_FALSE(watch.found());
  watch.add(" 12.1\n");
  EXPECT_TRUE(watch.found());
  EXPECT_EQ(watch.tail(), "the version: 12.1");
}

TEST(OutputWatch, FindsWhatIsLongGone) {
  const std::string noise(5000, 'x');
  OutputWatch watch("start");
  watch.add(noise + "sta");
  watch.add("rt" + noise);
  watch.add(noise);
  EXPECT_TRUE(watch.found());
  OutputWatch other("startx x");
  other.add(noise + "start" + noise);
  EXPECT_FALSE(other.found());
}

TEST(OutputWatch, NothingIsFoundAtOnce) { EXPECT_TRUE(OutputWatch("").found()); }

TEST(OutputWatch, ExpectationsMayBeLongerThanWhatIsKept) {
  const std::string wanted(9000, 'w');
  OutputWatch watch(wanted);
  for (std::size_t i = 0; i < wanted.size(); i += 100) {
    EXPECT_FALSE(watch.found());
    watch.add(wanted.substr(i, 100));
  }
  EXPECT_TRUE(watch.found());
}

TEST(OutputWatch, KeepsTheLastLines) {
  OutputWatch watch("");
  for (int i = 1; i <= 100; ++i) {
    watch.add(fmt::format("line {}\n", i));
  }
  const auto tail = watch.tail();
  const auto lines = lines_of(tail);
  ASSERT_EQ(lines.size(), 20U);
  EXPECT_EQ(lines.front(), "line 81");
  EXPECT_EQ(lines.back(), "line 100");
}

TEST(OutputWatch, KeepsWholeLinesOfALot) {
  OutputWatch watch("");
  for (int i = 0; i < 30; ++i) {
    watch.add(std::string(999, static_cast<char>('a' + i % 26)) + "\n");
  }
  EXPECT_EQ(lines_of(watch.tail()).size(), 4U);
  OutputWatch one_line("");
  one_line.add(std::string(10000, 'x'));
  EXPECT_EQ(one_line.tail().size(), 4096U);
  EXPECT_EQ(OutputWatch("").tail(), "");
}

} // namespace
} // namespace sheaf::app
