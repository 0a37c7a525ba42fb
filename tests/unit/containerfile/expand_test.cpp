// SPDX-License-Identifier: Apache-2.0
#include "containerfile/expand.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sheaf::containerfile {
namespace {

std::optional<std::string> lookup(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> k_variables = {
      {"x", "value"},  {"empty", ""},        {"path", "/usr/local/lib"}, {"file", "a.tar.gz"},
      {"star", "a*b"}, {"hangul", "한국어"}, {"pattern", "/*"},          {"words", "one two"}};
  const auto found = k_variables.find(name);
  return found != k_variables.end() ? std::optional(found->second) : std::nullopt;
}

std::string expanded(std::string_view word, char escape = '\\') {
  const auto result = expand(word, lookup, escape);
  return result ? *result : "error: " + result.error().message();
}

struct Example {
  std::string_view word;
  std::string_view result;
};

class Expand : public testing::TestWithParam<Example> {};

TEST_P(Expand, GivesTheResult) { EXPECT_EQ(expanded(GetParam().word), GetParam().result) << GetParam().word; }

INSTANTIATE_TEST_SUITE_P(Plain, Expand,
                         testing::Values(Example{"", ""}, Example{"a$x-b", "avalue-b"}, Example{"${x}y", "valuey"},
                                         Example{"$unset|", "|"}, Example{"$", "$"}, Example{"a$ b", "a$ b"},
                                         Example{"$1x", "x"}, Example{"$$x", "x"}, Example{"$words", "one two"}));
INSTANTIATE_TEST_SUITE_P(Quotes, Expand,
                         testing::Values(Example{"'$x'", "$x"}, Example{"\"$x 'y'\"", "value 'y'"},
                                         Example{"\\$x", "$x"}, Example{"\"\\$x \\\" \\n\"", "$x \" \\n"},
                                         Example{"a\\ b", "a b"}, Example{"\\'", "'"}, Example{"end\\", "end"},
                                         Example{"'a\\'b", "a\\b"}));
INSTANTIATE_TEST_SUITE_P(Defaults, Expand,
                         testing::Values(Example{"${x:-d}", "value"}, Example{"${empty:-d}", "d"},
                                         Example{"${empty-d}", ""}, Example{"${unset-d}", "d"},
                                         Example{"${unset:-}", ""}, Example{"${x:+w}", "w"}, Example{"${empty:+w}", ""},
                                         Example{"${empty+w}", "w"}, Example{"${unset+w}", ""},
                                         Example{"${unset:-${empty:-$x}}", "value"}, Example{"${unset:-'}'}", "}"},
                                         Example{"${unset:-\\}}", "}"}, Example{"${x:?no}", "value"},
                                         Example{"${empty?no}", ""}));
INSTANTIATE_TEST_SUITE_P(Patterns, Expand,
                         testing::Values(Example{"${path#*/}", "usr/local/lib"}, Example{"${path##*/}", "lib"},
                                         Example{"${path%/*}", "/usr/local"}, Example{"${path%%/*}", ""},
                                         Example{"${file%.gz}", "a.tar"}, Example{"${file%%.*}", "a"},
                                         Example{"${file#?.}", "tar.gz"}, Example{"${x#nothing}", "value"},
                                         Example{"${star#a\\*}", "b"}, Example{"${hangul#?}", "국어"},
                                         Example{"${hangul%?}", "한국"}, Example{"${path#$pattern}", "usr/local/lib"},
                                         Example{"${unset#a}", ""}, Example{"${x#}", "value"}));
INSTANTIATE_TEST_SUITE_P(Replacements, Expand,
                         testing::Values(Example{"${path/\\//-}", "-usr/local/lib"},
                                         Example{"${path//\\//-}", "-usr-local-lib"}, Example{"${file/.*/}", "a"},
                                         Example{"${path//l?/L}", "/usr/LcaLLb"}, Example{"${x/no/yes}", "value"},
                                         Example{"${empty//*/w}", "w"}, Example{"${x//*/w}", "w"},
                                         Example{"${x///}", "value"}, Example{"${x/l/$words}", "vaone twoue"}));

TEST(ExpandMistake, SaysWhatIsWrong) {
  EXPECT_EQ(expanded("${x"), "error: a '}' is missing in '${x'");
  EXPECT_EQ(expanded("${x:-a"), "error: a '}' is missing in '${x:-a'");
  EXPECT_EQ(expanded("${}"), "error: a variable's name is missing after '${' in '${}'");
  EXPECT_EQ(expanded("${x=1}"), "error: '${x=...}' is no known way to use a variable");
  EXPECT_EQ(expanded("${x:0:2}"), "error: '${x:0...}' is no known way to use a variable");
  EXPECT_EQ(expanded("'a"), "error: a single quote is not closed in ''a'");
  EXPECT_EQ(expanded("\"a"), "error: a double quote is not closed in '\"a'");
  EXPECT_EQ(expanded("${x//a}"), "error: a '/' is missing in '${x//a}'");
  EXPECT_EQ(expanded("${x#\\a}"), "error: '\\a' is no escape in the pattern '\\a'");
  EXPECT_EQ(expanded("${unset?}"), "error: unset: must be set");
  EXPECT_EQ(expanded("${empty:?give $x}"), "error: empty: give value");
}

TEST(ExpandEscape, CanBeTheBacktick) {
  EXPECT_EQ(expanded("C:\\$x`$x", '`'), "C:\\value$x");
  EXPECT_EQ(expanded("${star#a`*}", '`'), "b");
}

TEST(ExpandDepth, IsLimited) {
  std::string word;
  for (int i = 0; i < 100000; ++i) {
    word += "${a:-";
  }
  EXPECT_EQ(expanded(word), "error: more than 100 '${' are inside each other");
}

TEST(ExpandContent, QuotesArePlainText) {
  EXPECT_EQ(expand_content("it's \"$x\" '${x}'\n", lookup), "it's \"value\" 'value'\n");
  EXPECT_EQ(expand_content("${none:-\"a'}", lookup), "\"a'");
}

TEST(ExpandContent, ABackslashEscapes) { EXPECT_EQ(expand_content("\\$x a\\nb \\\\ `$x", lookup), "$x anb \\ `value"); }

TEST(ExpandContent, ShowsOnlyTheFirstLineInMessages) {
  const auto result = expand_content("first $x\nsecond ${x:-open", lookup);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "a '}' is missing in 'first $x...'");
  EXPECT_EQ(expand_content("${x\n}", lookup).error().message(), "a '}' is missing after '${x'");
}

} // namespace
} // namespace sheaf::containerfile
