// SPDX-License-Identifier: Apache-2.0
#include "app/project_layer.hpp"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

TEST(ProjectLayer, ASnippetIsBuiltOnTheStack) {
  EXPECT_EQ(containerfile_of_snippet("RUN make\n"), "# sheaf: extensions\nFROM ${BASE_IMAGE}\nRUN make\n");
  EXPECT_EQ(containerfile_of_snippet(""), "# sheaf: extensions\nFROM ${BASE_IMAGE}\n");
  const std::string whole = "# mine\nARG BASE_IMAGE\nfrom ${BASE_IMAGE}\nRUN make\n";
  EXPECT_EQ(containerfile_of_snippet(whole), whole);
  EXPECT_EQ(containerfile_of_snippet("RUN x\nFROM y\n"), "# sheaf: extensions\nFROM ${BASE_IMAGE}\nRUN x\nFROM y\n")
      << "a second stage is a mistake, and is reported as one";
}

/// Where in `outer` the first appearance of `word` in the snippet is shown.
Position shown(const std::string& outer_text, std::size_t first, const std::string& snippet, const std::string& word) {
  const auto inner = std::make_shared<const SourceText>("inner", containerfile_of_snippet(snippet));
  const auto outer = std::make_shared<const SourceText>("outer", outer_text);
  const auto begin = inner->text().find(word);
  Diagnostics diagnostics;
  diagnostics.error(inner, {begin, begin + word.size()}, "rule", "message");
  const auto placed = placed_in(diagnostics, *inner, outer, first);
  EXPECT_EQ(placed.error_count(), 1U);
  EXPECT_EQ(placed.all().front().source->name(), "outer");
  const auto& span = placed.all().front().span;
  EXPECT_EQ(outer_text.substr(span.begin, span.end - span.begin), word);
  return outer->position(span.begin);
}

TEST(ProjectLayer, MistakesPointIntoTheSettings) {
  EXPECT_EQ(shown("base: x\nsnippet: |\n    USER root\n    RUN make\nenv: {}\n", 3, "USER root\nRUN make\n", "RUN"),
            (Position{4, 5}));
  EXPECT_EQ(shown("snippet: RUN make\n", 1, "RUN make", "make"), (Position{1, 14}));
}

TEST(ProjectLayer, MistakesPointIntoTheFile) {
  const std::string text = "USER root\nRUN make\n";
  EXPECT_EQ(shown(text, 1, text, "make"), (Position{2, 5}));
  const std::string whole = "FROM ${BASE_IMAGE}\nRUN make\n";
  EXPECT_EQ(shown(whole, 1, whole, "make"), (Position{2, 5}));
}

TEST(ProjectLayer, MistakesElsewhereStayThere) {
  const auto other = std::make_shared<const SourceText>("other", "RUN\n");
  const SourceText inner("inner", "RUN\n");
  Diagnostics diagnostics;
  diagnostics.error(other, {0, 3}, "rule", "message");
  EXPECT_EQ(placed_in(diagnostics, inner, std::make_shared<const SourceText>("outer", ""), 1).all().front().source,
            other);
}

} // namespace
} // namespace sheaf::app
