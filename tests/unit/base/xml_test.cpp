// SPDX-License-Identifier: Apache-2.0
#include "base/xml.hpp"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

using namespace std::string_literals;

TEST(Xml, MarkupIsEscaped) {
  EXPECT_EQ(xml_text("a < b && c > \"d\""), "a &lt; b &amp;&amp; c &gt; &quot;d&quot;");
  EXPECT_EQ(xml_text("]]>"), "]]&gt;");
  EXPECT_EQ(xml_text(""), "");
}

TEST(Xml, WhatXmlCannotSayIsSpelledOut) {
  EXPECT_EQ(xml_text("\033[1m\0\x7f\r"s), "\\x1b[1m\\x00\\x7f\\x0d");
  EXPECT_EQ(xml_text("\xEF\xBF\xBE"), "\\xef\\xbf\\xbe"); // U+FFFE is no character
}

TEST(Xml, Utf8Stays) {
  EXPECT_EQ(xml_text("ä€𝄞\n\t"), "ä€𝄞\n\t");
  EXPECT_EQ(xml_text("\xF4\x8F\xBF\xBF"), "\xF4\x8F\xBF\xBF"); // the last one, U+10FFFF
}

TEST(Xml, WhatIsNoUtf8IsSpelledOut) {
  EXPECT_EQ(xml_text("\xFF\xC3"), "\\xff\\xc3");
  EXPECT_EQ(xml_text("\xC3("), "\\xc3(");
  EXPECT_EQ(xml_text("\xC0\xAF"), "\\xc0\\xaf");                   // '/' in a longer form
  EXPECT_EQ(xml_text("\xED\xA0\x80"), "\\xed\\xa0\\x80");          // half of a pair of UTF-16
  EXPECT_EQ(xml_text("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // above the last one
  EXPECT_EQ(xml_text("\xE2\x82"), "\\xe2\\x82");
}

TEST(Xml, AttributesKeepNewlines) { EXPECT_EQ(xml_attribute("a\n\"b\"\t"), "\"a&#10;&quot;b&quot;&#9;\""); }

} // namespace
} // namespace sheaf
