// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sheaf {
namespace {

std::shared_ptr<const SourceText> source(std::string text) {
  return std::make_shared<SourceText>("sheaf.yml", std::move(text));
}

TEST(Diagnostics, PointsAtTheMistake) {
  Diagnostics diagnostics;
  diagnostics.error(source("base: debian\nlayerz: [go]\n"), {13, 19}, "unknown-key", "unknown key 'layerz'",
                    "did you mean 'layers'?");
  EXPECT_EQ(diagnostics.render(), "sheaf.yml:2:1: error: unknown key 'layerz' [unknown-key]\n"
                                  " 2 | layerz: [go]\n"
                                  "   | ^^^^^^\n"
                                  "   = hint: did you mean 'layers'?");
}

TEST(Diagnostics, SortsByPositionAndCountsErrorsOnly) {
  const auto text = source("a\nb\nc\n");
  Diagnostics diagnostics;
  diagnostics.error(text, {4, 5}, "r", "third");
  diagnostics.warning(text, {2, 3}, "r", "second");
  diagnostics.error(text, {0, 1}, "r", "first");
  EXPECT_EQ(diagnostics.error_count(), 2U);
  const auto rendered = diagnostics.render();
  EXPECT_LT(rendered.find("first"), rendered.find("second"));
  EXPECT_LT(rendered.find("second"), rendered.find("third"));
  EXPECT_EQ(diagnostics.to_error("reading 'sheaf.yml'").message(), "reading 'sheaf.yml': 2 mistakes");
}

TEST(Diagnostics, CaretStandsUnderTabsAndWideText) {
  Diagnostics diagnostics;
  diagnostics.error(source("\té: x"), {5, 6}, "r", "m");
  EXPECT_NE(diagnostics.render().find("| \t   ^"), std::string::npos) << diagnostics.render();
}

TEST(SourceText, PositionAndOffsetAgree) {
  const SourceText text("f", "ab\n\nc\r\nd");
  for (std::size_t i = 0; i <= text.text().size(); ++i) {
    if (text.text()[std::min(i, text.text().size() - 1)] == '\n' && i > 0 && text.text()[i - 1] == '\r') {
      continue; // the CR of a CRLF belongs to the line break
    }
    EXPECT_EQ(text.offset(text.position(i)), i) << i;
  }
  EXPECT_EQ(text.line(3), "c");
  EXPECT_EQ(text.line(9), "");
}

} // namespace
} // namespace sheaf
