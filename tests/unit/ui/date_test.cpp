// SPDX-License-Identifier: Apache-2.0
#include "ui/date.hpp"

#include <gtest/gtest.h>

namespace sheaf::ui {
namespace {

TEST(Date, IsInUtcToTheMinute) {
  EXPECT_EQ(date(0), "1970-01-01 00:00");
  EXPECT_EQ(date(951'782'399), "2000-02-28 23:59");
}

} // namespace
} // namespace sheaf::ui
