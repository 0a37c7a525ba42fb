// SPDX-License-Identifier: Apache-2.0
#include "join/extract.hpp"

#include <gtest/gtest.h>

namespace sheaf::join {
namespace {

const Driver& shells() { return *driver_for("etc/shells"); }

TEST(Extract, FindsAddedChangedAndRemovedRecords) {
  const auto& environment = *driver_for("etc/environment");
  const auto changes = extract(environment, "etc/environment", "C=1\nA=1\nB=1\n", "A=2\nB=1\nD=1\n");
  ASSERT_TRUE(changes);
  EXPECT_EQ(*changes, (std::vector<RecordChange>{{"etc/environment", "A", "A=1", "A=2"},
                                                 {"etc/environment", "C", "C=1", std::nullopt},
                                                 {"etc/environment", "D", std::nullopt, "D=1"}}));
}

TEST(Extract, AFileMayBeAbsent) {
  EXPECT_EQ(*extract(shells(), "etc/shells", std::nullopt, "/a\n"),
            (std::vector<RecordChange>{{"etc/shells", "/a", std::nullopt, "/a"}}));
  EXPECT_EQ(*extract(shells(), "etc/shells", "/a\n", std::nullopt),
            (std::vector<RecordChange>{{"etc/shells", "/a", "/a", std::nullopt}}));
  EXPECT_TRUE(extract(shells(), "etc/shells", std::nullopt, std::nullopt)->empty());
}

TEST(Extract, SaysWhichSideIsBroken) {
  const auto changes = extract(*driver_for("etc/passwd"), "etc/passwd", "a:x\n", "?\n");
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().summary(),
            "reading '/etc/passwd' of the layer: '/etc/passwd': line 1: expected 'name:...'");
}

} // namespace
} // namespace sheaf::join
