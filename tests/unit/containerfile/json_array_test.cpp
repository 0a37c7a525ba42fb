// SPDX-License-Identifier: Apache-2.0
#include "containerfile/json_array.hpp"

#include <gtest/gtest.h>

namespace sheaf::containerfile {
namespace {

JsonArray read(std::string_view text) { return read_json_array(text, {0, text.size()}); }

TEST(JsonArray, ReadsStringsWithTheirPlaces) {
  const auto array = read(R"( ["a", "\u00e9\n" ] )");
  ASSERT_EQ(array.form, ArrayForm::array);
  ASSERT_EQ(array.items.size(), 2U);
  EXPECT_EQ(array.items[0].text, "a");
  EXPECT_EQ(array.items[0].range, (Range{2, 5}));
  EXPECT_EQ(array.items[1].text, "\xC3\xA9\n");
  EXPECT_EQ(read("[]").form, ArrayForm::array);
}

TEST(JsonArray, LeavesShellTestsAlone) {
  for (const auto* text :
       {"echo", "", "[ -f x ]", "[ \"$a\" = b ]", "[ 'a' != b ] && c", "[[ -n x ]]", "[", "[abc]*"}) {
    EXPECT_EQ(read(text).form, ArrayForm::absent) << text;
  }
}

TEST(JsonArray, TellsWhatIsBroken) {
  for (const auto* text : {"[\"a\" \"b\"]", "['a']", "[ 'a', 'b' ]", "[\"a\",]", "[\"a\"", "[\"a", "[\"\\x\"]",
                           "[\"a\"] b", "[\"a\", b]", "[\"a\", 'b']"}) {
    const auto array = read(text);
    EXPECT_EQ(array.form, ArrayForm::broken) << text;
    EXPECT_NE(array.problem, "") << text;
  }
}

TEST(JsonArray, TellsElementsThatAreNoStrings) {
  for (const auto* text : {"[1]", "[\"a\", null]", "[[\"a\"]]", "[{\"a\": 1}]", "[true, \"a\"]"}) {
    EXPECT_EQ(read(text).form, ArrayForm::not_strings) << text;
  }
  EXPECT_EQ(read("[\"a\", 12, \"b\"]").where, (Range{6, 8}));
}

} // namespace
} // namespace sheaf::containerfile
