// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Printable, LeavesTextAndNeutralisesControls) {
  EXPECT_EQ(printable("a\tb\r\nc \xc3\xa9\r", Colours::kept), "a\tb\nc \xc3\xa9");
  EXPECT_EQ(printable("\x1b[2Jx\b\rz\x7f\xc2\x9b", Colours::kept), "\\x1b[2Jx\\x08\\x0dz\\x7f\\x9b");
  EXPECT_EQ(printable("\x1b[31mred\x1b[", Colours::kept), "\x1b[31mred\\x1b[\x1b[0m");
  EXPECT_EQ(printable("\x1b[31mred\x1b[m", Colours::dropped), "red");
  EXPECT_EQ(printable(std::string_view("\0", 1), Colours::kept), "\\x00");
}

} // namespace
} // namespace sheaf
