// SPDX-License-Identifier: Apache-2.0
#include "containerfile/scan.hpp"

#include <gmock/gmock.h>

namespace sheaf::containerfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(std::string_view text, const std::vector<Range>& ranges) {
  std::vector<std::string> result;
  for (const auto& range : ranges) {
    result.emplace_back(text.substr(range.begin, range.size()));
  }
  return result;
}

std::vector<std::string> words(std::string_view text) {
  return texts(text, quoted_words(text, {0, text.size()}, '\\').words);
}

std::vector<std::string> heredocs(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& marker : heredoc_markers(text, {0, text.size()})) {
    names.push_back(marker.name);
  }
  return names;
}

TEST(Scan, SplitsKeywordFlagsAndArguments) {
  const std::string_view text = "COPY --from=x --chown=\"a b\"  src  dst";
  const auto parts = split_instruction(text);
  EXPECT_EQ(text.substr(0, parts.keyword.end), "COPY");
  ASSERT_EQ(parts.flags.size(), 2U);
  EXPECT_EQ(parts.flags[0].text, "--from=x");
  EXPECT_EQ(parts.flags[1].text, "--chown=a b");
  EXPECT_EQ(text.substr(parts.arguments.begin), "src  dst");
}

TEST(Scan, TwoDashesEndTheFlags) {
  const std::string_view text = "RUN -- --x";
  const auto parts = split_instruction(text);
  EXPECT_THAT(parts.flags, IsEmpty());
  EXPECT_EQ(text.substr(parts.arguments.begin), "--x");
}

TEST(Scan, KeywordAloneHasNoArguments) {
  const auto parts = split_instruction("RUN");
  EXPECT_EQ(parts.keyword, (Range{0, 3}));
  EXPECT_EQ(parts.arguments, (Range{3, 3}));
}

TEST(Scan, QuotesAndEscapesHoldWordsTogether) {
  EXPECT_THAT(words(R"(a="b c" d\ e 'f "g' h)"), ElementsAre(R"(a="b c")", R"(d\ e)", R"('f "g')", "h"));
  EXPECT_THAT(words(R"("a\" b" c)"), ElementsAre(R"("a\" b")", "c"));
  EXPECT_FALSE(quoted_words("a 'b", {0, 4}, '\\').balanced);
}

TEST(Scan, FindsHeredocs) {
  EXPECT_THAT(heredocs("cat <<A 3<<-'B C' >x"), ElementsAre("A", "B C"));
  EXPECT_THAT(heredocs("cat <<<A x<<B << C '<<D' <<\"\""), IsEmpty());
  EXPECT_THAT(heredocs("it's <<EOF"), IsEmpty()) << "open quotes, as in BuildKit";
}

TEST(Scan, HeredocMarkerSaysHowToRead) {
  const auto plain = heredoc_marker("<<EOF", {0, 5});
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->expand);
  EXPECT_FALSE(plain->strip_tabs);
  const auto quoted = heredoc_marker("4<<-\"EOF\"", {0, 9});
  ASSERT_TRUE(quoted);
  EXPECT_FALSE(quoted->expand);
  EXPECT_TRUE(quoted->strip_tabs);
  EXPECT_EQ(quoted->descriptor, 4U);
  EXPECT_FALSE(heredoc_marker("99999999999<<EOF", {0, 16}));
}

} // namespace
} // namespace sheaf::containerfile
