// SPDX-License-Identifier: Apache-2.0
#include "join/apk_world.hpp"

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

const std::string k_file(k_apk_world_file);

TEST(ApkWorld, UnitesWhatWasAskedFor) {
  EXPECT_EQ(joined_text(k_file, "alpine-base\n", {"alpine-base\nzsh\n", "alpine-base\nbash>5\ncurl@edge\n"}),
            "alpine-base\nbash>5\ncurl@edge\nzsh\n");
  // Written by hand: in no order, with blanks.
  EXPECT_EQ(joined_text(k_file, "zsh bash\n", {"zsh bash curl", "zsh bash"}), "zsh\nbash\ncurl\n");
}

TEST(ApkWorld, TakesARemoval) { EXPECT_EQ(joined_text(k_file, "a\nb\n", {"a\n", "a\nb\nc\n"}), "a\nc\n"); }

TEST(ApkWorld, AConstraintStandsForThePlainWishToo) {
  EXPECT_EQ(joined_text(k_file, "", {"foo\n", "foo=1\n", "foo\n"}), "foo=1\n");
  EXPECT_EQ(joined_text(k_file, "", {"foo@edge\n", "foo\n"}), "foo@edge\n");
}

TEST(ApkWorld, ConstraintsThatDifferAreAConflict) {
  const auto result = join_texts(k_file, "", {"foo=1\n", "foo=2\n"});
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].key, "foo");
  EXPECT_EQ(result.conflicts[0].message, "layer 'a' asks apk for 'foo=1' and layer 'b' for 'foo=2'");
  EXPECT_EQ(join_texts(k_file, "", {"foo\n", "!foo\n"}).conflicts.size(), 1U);
  // Not wanted any more by one, and wanted in another way by the other.
  EXPECT_EQ(join_texts(k_file, "foo\n", {"", "foo=1\n"}).conflicts.at(0).message,
            "layer 'a' asks apk for nothing and layer 'b' for 'foo=1'");
}

TEST(ApkWorld, SaysWhereItDoesNotParse) {
  EXPECT_EQ(ApkWorld().parse(k_file, "a\nb\n=1\n").error().message(),
            "'/etc/apk/world': line 3: '=1' names no package");
  EXPECT_EQ(ApkWorld().parse(k_file, "a\na=1\n").error().code(), ErrorCode::corrupt);
}

} // namespace
} // namespace sheaf::join
