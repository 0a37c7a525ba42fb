// SPDX-License-Identifier: Apache-2.0
#include "containerfile/lexer.hpp"

#include <gtest/gtest.h>

namespace sheaf::containerfile {
namespace {

struct Lexed {
  std::shared_ptr<const SourceText> source;
  Diagnostics diagnostics;
  LexedFile file;

  explicit Lexed(std::string text) : source(std::make_shared<SourceText>("f", std::move(text))) {
    file = lex(source, diagnostics);
  }
  std::string slice(Span span) const { return std::string(source->text().substr(span.begin, span.end - span.begin)); }
};

TEST(Lexer, JoinsContinuedLinesAndKeepsTheirPlaces) {
  const Lexed lexed("RUN a \\\n # no\n  b\nRUN c");
  ASSERT_EQ(lexed.file.lines.size(), 2U);
  const auto& line = lexed.file.lines[0];
  EXPECT_EQ(line.text(), "RUN a   b");
  EXPECT_EQ(line.display(), "RUN a b");
  EXPECT_EQ(lexed.slice(line.span({8, 9})), "b");
  EXPECT_EQ(lexed.slice(line.span({4, 9})), "a \\\n # no\n  b");
  EXPECT_EQ(lexed.slice(lexed.file.lines[1].span()), "RUN c");
}

TEST(Lexer, AContinuationInsideAWordShowsNoBlank) {
  EXPECT_EQ(Lexed("RUN ab\\\ncd").file.lines[0].display(), "RUN abcd");
}

TEST(Lexer, TwoEscapesAreNoContinuation) {
  const Lexed lexed("RUN a \\\\\nRUN b");
  EXPECT_EQ(lexed.file.lines.size(), 2U);
}

TEST(Lexer, TheEscapeDirectiveChangesContinuations) {
  const Lexed lexed("# escape=`\nRUN a `\nb \\\nRUN c");
  ASSERT_EQ(lexed.file.lines.size(), 2U);
  EXPECT_EQ(lexed.file.escape, '`');
  EXPECT_EQ(lexed.file.lines[0].text(), "RUN a b \\");
}

TEST(Lexer, DirectivesEndAtTheFirstThingThatIsNone) {
  for (const auto* before : {"\n", "# comment\n", "FROM a\n", "# other=1\n"}) {
    EXPECT_TRUE(Lexed(std::string(before) + "# escape=`\n").file.directives.empty()) << before;
  }
}

TEST(Lexer, CollectsSeveralHeredocs) {
  const Lexed lexed("RUN cat <<A <<-\"B\"\n1\nA\n\t2\n\tB\nRUN c");
  ASSERT_EQ(lexed.file.lines.size(), 2U);
  const auto& heredocs = lexed.file.lines[0].heredocs();
  ASSERT_EQ(heredocs.size(), 2U);
  EXPECT_EQ(heredocs[0].content(), "1\n");
  EXPECT_TRUE(heredocs[0].expand);
  EXPECT_EQ(heredocs[1].body, "\t2\n");
  EXPECT_EQ(heredocs[1].content(), "2\n");
  EXPECT_FALSE(heredocs[1].expand);
  EXPECT_EQ(lexed.slice(heredocs[1].name.span), "<<-\"B\"");
  EXPECT_EQ(lexed.slice(heredocs[1].body_span), "\t2\n");
}

TEST(Lexer, OnlySomeInstructionsHaveHeredocs) {
  EXPECT_EQ(Lexed("ENV a=1 <<EOF\nRUN x").file.lines.size(), 2U);
  EXPECT_EQ(Lexed("RUN [\"<<EOF\"]\nRUN x").file.lines.size(), 2U);
  EXPECT_EQ(Lexed("ONBUILD RUN <<EOF\nRUN x\nEOF").file.lines.size(), 1U);
}

TEST(Lexer, DeepNestingOfOnbuildIsHarmless) {
  std::string text;
  for (int i = 0; i < 100000; ++i) {
    text += "ONBUILD ";
  }
  EXPECT_EQ(Lexed(text + "<<EOF").file.lines.size(), 1U);
}

} // namespace
} // namespace sheaf::containerfile
