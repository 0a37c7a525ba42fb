// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "context/ignore_patterns.hpp"

namespace sheaf::context {
namespace {

bool excluded(const std::vector<std::string>& patterns, std::string_view path) {
  return IgnorePatterns::from_list(patterns).value().excludes(path);
}

struct Case {
  std::vector<std::string> patterns;
  std::string path;
  bool excluded;
};

// What the Dockerfile reference says and moby/patternmatcher does, in cases of our own.
TEST(IgnorePatterns, MatchAsTheReferenceSays) {
  const std::vector<Case> cases = {
      {{"docs"}, "docs", true},
      {{"docs"}, "docs/a/b", true},
      {{"docs"}, "docs2", false},
      {{"docs"}, "a/docs", false},
      {{"/docs/"}, "docs/x", true},
      {{"./a/../docs"}, "docs", true},
      {{"  docs \t"}, "docs", true},
      {{"*.md"}, "readme.md", true},
      {{"*.md"}, "a/readme.md", false},
      {{"*/*.md"}, "a/readme.md", true},
      {{"*/*.md"}, "a/b/readme.md", false},
      {{"*/*.md"}, "a/x.md/inside", true},
      {{"**/*.md"}, "readme.md", true},
      {{"**/*.md"}, "a/b/readme.md", true},
      {{"**/node_modules"}, "a/node_modules/x", true},
      {{"**/node_modules"}, "a/my_node_modules", false},
      {{"**dump"}, "coredump", true},
      {{"**dump"}, "a/dump/x", true},
      {{"a/**"}, "a", false},
      {{"a/**"}, "a/b", true},
      {{"a/**/z"}, "a/z", true},
      {{"a/**/z"}, "a/b/c/z/y", true},
      {{"a/**/z"}, "a/bz", false},
      {{"a**"}, "abc", true},
      {{"**"}, "anything/at/all", true},
      {{"**/a/**"}, "x/a/y", true},
      {{"**/a/**"}, "x/a", false},
      {{"temp?"}, "tempa", true},
      {{"temp?"}, "temp", false},
      {{"temp?"}, "temp/", false},
      {{"[a-c]x"}, "bx", true},
      {{"[^a-c]x"}, "bx", false},
      {{"[^a-c]x"}, "dx", true},
      {{"\\*"}, "*", true},
      {{"\\*"}, "a", false},
      {{"a[[]b"}, "a[b", true},
      {{"b\xC3\xA4?"}, "b\xC3\xA4\xC3\xB6", true},
      {{"x?y"}, "x\xFFy", true},
      {{"a.c"}, "abc", false},
      {{"*.md", "!readme.md"}, "readme.md", false},
      {{"*.md", "!readme*.md", "readme-secret.md"}, "readme-secret.md", true},
      {{"*.md", "readme-secret.md", "!readme*.md"}, "readme-secret.md", false},
      {{"a", "!a/b"}, "a/b/c", false},
      {{"a", "!a/b"}, "a/c", true},
      {{"a", "!a/b", "a/b/c"}, "a/b/c", true},
      {{"a", "! /a/b"}, "a/b", false},
      {{"!a"}, "a", false},
      {{"."}, "a", false},
      {{"/"}, "a", false},
      {{".."}, "a", false},
      {{""}, "a", false},
  };
  for (const auto& [patterns, path, expected] : cases) {
    EXPECT_EQ(excluded(patterns, path), expected) << testing::PrintToString(patterns) << " on " << path;
  }
}

TEST(IgnorePatterns, ReadsAFile) {
  Diagnostics diagnostics;
  const auto source = std::make_shared<SourceText>(
      ".dockerignore", "\xEF\xBB\xBF# a comment\n\n  #not-a-comment\r\n*.log \r\n!keep.log\n/top\n");
  const auto patterns = IgnorePatterns::parse(source, diagnostics);
  EXPECT_TRUE(diagnostics.all().empty());
  EXPECT_TRUE(patterns.excludes("#not-a-comment"));
  EXPECT_TRUE(patterns.excludes("a.log"));
  EXPECT_FALSE(patterns.excludes("keep.log"));
  EXPECT_TRUE(patterns.excludes("top/x"));
}

TEST(IgnorePatterns, NamesEveryMistakeWithItsLine) {
  Diagnostics diagnostics;
  const auto source = std::make_shared<SourceText>(".dockerignore", "ok\n [a\n!\n[]\nb\\\n[a-]\n!good\n");
  const auto patterns = IgnorePatterns::parse(source, diagnostics);
  EXPECT_TRUE(patterns.excludes("ok"));
  ASSERT_EQ(diagnostics.error_count(), 5U);
  EXPECT_EQ(diagnostics.render(),
            R"(.dockerignore:2:2: error: '[a' is not a pattern: '[' without ']' [ignore-pattern]
 2 |  [a
   |  ^^
.dockerignore:3:1: error: '!' alone excepts nothing [ignore-pattern]
 3 | !
   | ^
   = hint: write the pattern of what is to be kept right after it: '!keep.txt'
.dockerignore:4:1: error: '[]' is not a pattern: a class in brackets lacks a character [ignore-pattern]
 4 | []
   | ^^
.dockerignore:5:1: error: 'b\' is not a pattern: there is nothing after the last '\' [ignore-pattern]
 5 | b\
   | ^^
.dockerignore:6:1: error: '[a-]' is not a pattern: a class in brackets lacks a character [ignore-pattern]
 6 | [a-]
   | ^^^^)");
}

TEST(IgnorePatterns, KnowWhereAnExceptionMayBe) {
  const auto patterns = IgnorePatterns::from_list({"*", "!a/b/*.txt", "!c", "!d*/**/x"}).value();
  EXPECT_TRUE(patterns.may_except_below("a"));
  EXPECT_TRUE(patterns.may_except_below("a/b"));
  EXPECT_FALSE(patterns.may_except_below("a/c"));
  EXPECT_FALSE(patterns.may_except_below("b"));
  EXPECT_TRUE(patterns.may_except_below("dir/deep/down"));
  EXPECT_FALSE(IgnorePatterns::from_list({"a", "b"}).value().may_except_below("a"));
}

/// A matcher that tries one way after the other would need longer than the universe has.
TEST(IgnorePatterns, HardPatternsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "*a**/b";
  }
  const auto patterns = IgnorePatterns::from_list({pattern + "c"}).value();
  EXPECT_FALSE(patterns.excludes(std::string(2000, 'a') + "/" + std::string(2000, 'b')));
}

TEST(Wildcards, MatchAsGoDoes) {
  EXPECT_TRUE(matches_wildcard("*.go", "a.go").value());
  EXPECT_FALSE(matches_wildcard("*", "a/b").value());
  EXPECT_TRUE(matches_wildcard("**", "ab").value());
  EXPECT_FALSE(matches_wildcard("**", "a/b").value());
  EXPECT_TRUE(matches_wildcard("a/*/c", "a/b/c").value());
  EXPECT_TRUE(matches_wildcard("[\\-x]", "-").value());
  EXPECT_FALSE(matches_wildcard("[", "a").has_value());
  EXPECT_FALSE(matches_wildcard("[-x]", "-").has_value());
  EXPECT_TRUE(has_wildcard("a?"));
  EXPECT_FALSE(has_wildcard("a\\*b"));
}

} // namespace
} // namespace sheaf::context
