// SPDX-License-Identifier: Apache-2.0
// One rule of gitignore(5) after the other. That all of them together are git's: tests/property.
#include "detect/ignore_file.hpp"

#include <gtest/gtest.h>

namespace sheaf::detect {
namespace {

bool ignores(std::string_view text, std::string_view path, EntryKind kind = EntryKind::file) {
  return IgnoreFile::parse(text).verdict(path, kind) == Verdict::ignored;
}

TEST(IgnoreFile, NamesFitAtAnyDepthAndPathsFromTheFolder) {
  EXPECT_TRUE(ignores("build", "build"));
  EXPECT_TRUE(ignores("build", "a/b/build"));
  EXPECT_FALSE(ignores("build", "builds"));
  EXPECT_TRUE(ignores("/build", "build"));
  EXPECT_FALSE(ignores("/build", "a/build"));
  EXPECT_TRUE(ignores("a/build", "a/build"));
  EXPECT_FALSE(ignores("a/build", "b/a/build"));
}

TEST(IgnoreFile, ASlashAtTheEndMeansDirectories) {
  EXPECT_FALSE(ignores("out/", "out"));
  EXPECT_TRUE(ignores("out/", "out", EntryKind::directory));
  EXPECT_TRUE(ignores("out/", "a/out", EntryKind::directory));
}

TEST(IgnoreFile, WildcardsStayInAFolderButDoubleStars) {
  EXPECT_TRUE(ignores("*.o", "a/b.o"));
  EXPECT_TRUE(ignores("a/*.o", "a/b.o"));
  EXPECT_FALSE(ignores("a/*.o", "a/b/c.o"));
  EXPECT_TRUE(ignores("a/**/c.o", "a/c.o"));
  EXPECT_TRUE(ignores("a/**/c.o", "a/b/b/c.o"));
  EXPECT_FALSE(ignores("a/**/c.o", "a/bc.o"));
  EXPECT_TRUE(ignores("**/c.o", "c.o"));
  EXPECT_TRUE(ignores("a/**", "a/b/c"));
  EXPECT_FALSE(ignores("a/**", "a"));
  EXPECT_FALSE(ignores("a/?**/c", "a/xb/b/c"));
  EXPECT_TRUE(ignores("a/x**/c", "a/xb/b/c")) << "git matches what comes before the first wildcard by itself";
  EXPECT_TRUE(ignores("a?c", "abc"));
  EXPECT_FALSE(ignores("a/?c", "a//c"));
}

TEST(IgnoreFile, Sets) {
  EXPECT_TRUE(ignores("[a-c]1", "b1"));
  EXPECT_FALSE(ignores("[!a-c]1", "b1"));
  EXPECT_TRUE(ignores("[^a-c]1", "d1"));
  EXPECT_TRUE(ignores("[]x]", "]"));
  EXPECT_TRUE(ignores("[[:digit:]x]", "7"));
  EXPECT_TRUE(ignores("[a\\]]", "]"));
  EXPECT_TRUE(ignores("[a-]", "-"));
  for (const auto* broken : {"[a", "[[:nope:]]", "[a\\", "[", "x\\"}) {
    EXPECT_FALSE(ignores(broken, "a")) << broken;
    EXPECT_FALSE(ignores(broken, broken)) << broken;
  }
}

TEST(IgnoreFile, TheLastPatternThatFitsDecides) {
  constexpr std::string_view k_text = "*.txt\n!keep.txt\n";
  EXPECT_TRUE(ignores(k_text, "a.txt"));
  EXPECT_EQ(IgnoreFile::parse(k_text).verdict("keep.txt", EntryKind::file), Verdict::included);
  EXPECT_EQ(IgnoreFile::parse(k_text).verdict("other", EntryKind::file), Verdict::none);
  EXPECT_TRUE(ignores("!keep.txt\n*.txt\n", "keep.txt"));
}

TEST(IgnoreFile, CommentsBlanksAndEscapes) {
  EXPECT_FALSE(ignores("# a\n\n", "# a"));
  EXPECT_TRUE(ignores("\\#a", "#a"));
  EXPECT_TRUE(ignores("\\!a", "!a"));
  EXPECT_TRUE(ignores("a  \n", "a"));
  EXPECT_TRUE(ignores("a\\ \n", "a "));
  EXPECT_TRUE(ignores("a\\  \n", "a "));
  EXPECT_TRUE(ignores(" a\n", " a"));
  EXPECT_TRUE(ignores("a\t\n", "a\t"));
  EXPECT_TRUE(ignores("a\r\nb\r\n", "a"));
  EXPECT_TRUE(ignores("a\r\nb\r", "b"));
  EXPECT_TRUE(ignores("\xEF\xBB\xBF"
                      "a\n",
                      "a"));
  EXPECT_TRUE(ignores("\\*", "*"));
  EXPECT_FALSE(ignores("\\*", "x"));
  EXPECT_TRUE(IgnoreFile::parse("/\n!\n!/\n  \n").empty());
}

TEST(IgnoreFile, ManyStarsCostNoMoreThanTheirNumber) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(ignores(pattern + "b", std::string(2000, 'a')));
  EXPECT_FALSE(ignores("x/" + pattern + "/**/*/b", "x/" + std::string(2000, 'a')));
}

TEST(IgnoreFiles, TheDeeperFileCountsMore) {
  IgnoreFiles ignores;
  ignores.push("", IgnoreFile::parse("*.txt\n/a/x\n"));
  ignores.push("a/", IgnoreFile::parse("!b.txt\n/y\n"));
  EXPECT_FALSE(ignores.ignores("a/b.txt", EntryKind::file));
  EXPECT_TRUE(ignores.ignores("a/c.txt", EntryKind::file));
  EXPECT_TRUE(ignores.ignores("a/x", EntryKind::file));
  EXPECT_TRUE(ignores.ignores("a/y", EntryKind::file));
  EXPECT_FALSE(ignores.ignores("a/b/y", EntryKind::file));
  ignores.pop();
  EXPECT_TRUE(ignores.ignores("b.txt", EntryKind::file));
}

} // namespace
} // namespace sheaf::detect
