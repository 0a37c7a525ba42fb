// SPDX-License-Identifier: Apache-2.0
#include "catalogue/yaml_node.hpp"

#include <gtest/gtest.h>

namespace sheaf::catalogue {
namespace {

/// The tree of `text`; `rules` are those of the messages.
std::optional<YamlNode> parse(const std::string& text, std::vector<std::string>* rules = nullptr) {
  Diagnostics diagnostics;
  auto node = parse_yaml(std::make_shared<const SourceText>("t.yml", text), diagnostics);
  for (const auto& diagnostic : diagnostics.all()) {
    EXPECT_NE(rules, nullptr) << render(diagnostic);
    if (rules != nullptr) {
      rules->push_back(diagnostic.rule);
    }
  }
  return node;
}

std::string spanned(const std::string& text, Span span) { return text.substr(span.begin, span.end - span.begin); }

TEST(YamlNode, SpansCoverWhatIsWritten) {
  const std::string text = "a: plain text  # note\nb: \"quo\\\"ted\"\nc: [x, 'y z']\nd:\n  - |\n    block\ne:\n";
  const auto root = parse(text);
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->entries.size(), 5U);
  EXPECT_EQ(spanned(text, root->entries[0].value.span), "plain text");
  EXPECT_EQ(spanned(text, root->entries[1].value.span), "\"quo\\\"ted\"");
  EXPECT_EQ(root->entries[1].value.text, "quo\"ted");
  EXPECT_EQ(spanned(text, root->entries[2].value.items.at(1).span), "'y z'");
  EXPECT_EQ(root->entries[3].value.items.at(0).text, "block\n");
  EXPECT_EQ(root->entries[4].value.kind, YamlNode::Kind::null);
  EXPECT_EQ(spanned(text, root->entries[4].value.span), "e");
}

TEST(YamlNode, PlacesSurviveByteOrderMarkAndCarriageReturns) {
  const std::string text = "\xEF\xBB\xBFkey: one\r\nother: two\r\n";
  const auto root = parse(text);
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(spanned(text, root->entries.at(0).key_span), "key");
  EXPECT_EQ(spanned(text, root->entries.at(1).value.span), "two");
}

TEST(YamlNode, PlacesAreBytesWhateverTheCharacters) {
  const std::string text = "größe: \"ä ö\" # ü\n名前: [é, x]\nlast: 'ß'\n";
  const auto root = parse(text);
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->entries.size(), 3U);
  EXPECT_EQ(spanned(text, root->entries[0].value.span), "\"ä ö\"");
  EXPECT_EQ(spanned(text, root->entries[1].key_span), "名前");
  EXPECT_EQ(spanned(text, root->entries[1].value.items.at(1).span), "x");
  EXPECT_EQ(spanned(text, root->entries[2].value.span), "'ß'");
}

TEST(YamlNode, NothingIsNull) {
  const auto root = parse("[~, null, '', 'null', !!str ~, nUll]\n");
  ASSERT_TRUE(root.has_value());
  const std::vector kinds = {YamlNode::Kind::null,   YamlNode::Kind::null,   YamlNode::Kind::scalar,
                             YamlNode::Kind::scalar, YamlNode::Kind::scalar, YamlNode::Kind::scalar};
  ASSERT_EQ(root->items.size(), kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(root->items[i].kind, kinds[i]) << i;
  }
}

TEST(YamlNode, KeepsScalarsAsWritten) {
  const auto root = parse("[1.20, 007, yes, '']");
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->items.size(), 4U);
  EXPECT_EQ(root->items[0].text, "1.20");
  EXPECT_EQ(root->items[1].text, "007");
  EXPECT_EQ(root->items[3].kind, YamlNode::Kind::scalar);
}

TEST(YamlNode, AnEmptyFileIsNull) {
  for (const auto* text : {"", "\n", "# note\n", "---\n"}) {
    const auto root = parse(text);
    ASSERT_TRUE(root.has_value()) << text;
    EXPECT_EQ(root->kind, YamlNode::Kind::null) << text;
  }
}

TEST(YamlNode, ReportsWhatIsNoYaml) {
  const std::string deep(5000, '[');
  for (const auto& text :
       {std::string("a: [b\n"), std::string("a: b: c\n"), std::string("a: \"b\n"), std::string("\tb: c\n"),
        std::string("a\0b", 3), std::string("a: *b\n"), deep, std::string("a: 1\n--- \nb: 2\n"),
        std::string("a: \xC4\n"), std::string("a: \xC2\x80\n"), std::string("\xEF\xBB\xBF\xFF")}) {
    std::vector<std::string> rules;
    parse(text, &rules);
    EXPECT_EQ(rules, std::vector<std::string>{"yaml-syntax"}) << text.substr(0, 40);
  }
}

TEST(YamlNode, KeepsTheFirstOfRepeatedKeys) {
  std::vector<std::string> rules;
  const auto root = parse("a: 1\na: 2\n", &rules);
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(rules, std::vector<std::string>{"duplicate-key"});
  ASSERT_EQ(root->entries.size(), 1U);
  EXPECT_EQ(root->entries[0].value.text, "1");
}

} // namespace
} // namespace sheaf::catalogue
