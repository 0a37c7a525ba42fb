// SPDX-License-Identifier: Apache-2.0
#include "catalogue/builtin.hpp"
#include "catalogue/plain_yaml.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace sheaf::catalogue {
namespace {

/// With every place; what is no YAML is its mistakes.
std::string shown(const YamlNode& node) {
  auto text = fmt::format("{}@{}-{} '{}'", static_cast<int>(node.kind), node.span.begin, node.span.end, node.text);
  for (const auto& item : node.items) {
    text += fmt::format(" [{}]", shown(item));
  }
  for (const auto& entry : node.entries) {
    text += fmt::format(" {{{}@{}-{}: {}}}", entry.key, entry.key_span.begin, entry.key_span.end, shown(entry.value));
  }
  return text;
}

std::string slowly(const std::string& text) {
  Diagnostics diagnostics;
  const auto node = parse_yaml_with_library(std::make_shared<SourceText>("x.yml", text), diagnostics);
  return node && diagnostics.error_count() == 0 ? shown(*node) : "wrong: " + diagnostics.render();
}

/// True if the quick reader took it; what it gives is what the library gives.
bool agrees(const std::string& text) {
  const auto node = parse_plain_yaml(SourceText("x.yml", text));
  if (node) {
    EXPECT_EQ(shown(*node), slowly(text)) << text;
  }
  return node.has_value();
}

const std::string k_sample = R"(# a comment
summary: the layer, it's one (of many)
kind: tool
needs: [python, node-20 , "base"]
after: []
args:
  node-version: {type: version, default: "20", allowed: [ "18", '20' ], description: which one}
  empty: {}

env: {PATH: "/opt/x/bin:$PATH", A: 1}
ports:
command: [x, "--flag=a/b", 'say "hi"']
tests:
  - {command: x --version, expect: "1."}
  # another one
  - command: cat /etc/issue | grep x
    expect: a tiny base
detect:
  - "*.tf"
  - package.json
  - file: .nvmrc
    version: first-line
    alone: no
capture:
    - path: var/lib/x
      class: keep
      reason: because
)";

TEST(PlainYaml, ReadsWhatDefinitionsAreWrittenIn) { EXPECT_TRUE(agrees(k_sample)); }

TEST(PlainYaml, ReadsNearlyAllOfOurOwn) {
  int taken = 0;
  int all = 0;
  for (const auto& file : embedded_files()) {
    if (file.path.ends_with("/layer.yml")) {
      ++all;
      taken += agrees(std::string(file.contents)) ? 1 : 0;
    }
  }
  EXPECT_GE(taken * 2, all) << taken << " of " << all;
}

TEST(PlainYaml, LeavesTheRestToTheLibrary) {
  for (const auto* text : {"",
                           "# nothing\n",
                           "a: |\n  x\n",
                           "a: &b c\n",
                           "a: *b\n",
                           "a: \"x\\n\"\n",
                           "a: 'it''s'\n",
                           "a: b\n  c\n",
                           "a: b # c\n",
                           "a: b: c\n",
                           "a: ~\n",
                           "a: [b, c: d]\n",
                           "a: [b,\n  c]\n",
                           "a: 1\na: 2\n",
                           "- a\n",
                           "  a: b\n c: d\n",
                           "a:\n- b\n",
                           "a: \xC3\xA4\n",
                           "a:\tb\n",
                           "a: b\r\n",
                           "---\na: b\n",
                           "? a\n: b\n",
                           "a:b\n",
                           "a: -b\n",
                           "a: [b\n",
                           "a: {b}\n",
                           "a: {b: }\n",
                           "a: [b, ]\n",
                           "a: \"b\" c\n",
                           "a: ]\n",
                           "a:\n  - b\n   - c\n",
                           "a:\n  - \n",
                           "\"a\": b\n"}) {
    EXPECT_FALSE(parse_plain_yaml(SourceText("x.yml", text))) << text;
  }
}

/// Texts that are nearly the sample: whatever is taken is read as the library reads it. SHEAF_LAW_CASES: how many.
TEST(PlainYaml, AgreesOnGeneratedTexts) {
  std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same cases each time
  const std::string_view pieces = " \n-:#[]{},'\"~ab.|>&*?!\\\t/0";
  const auto* wanted = std::getenv("SHEAF_LAW_CASES");
  const int cases = wanted != nullptr ? std::atoi(wanted) : 1500;
  int taken = 0;
  for (int i = 0; i < cases; ++i) {
    auto text = k_sample;
    const auto place = [&] { return std::uniform_int_distribution<std::size_t>(0, text.size() - 1)(random); };
    for (int edits = std::uniform_int_distribution(1, 3)(random); edits > 0; --edits) {
      const char piece = pieces[std::uniform_int_distribution<std::size_t>(0, pieces.size() - 1)(random)];
      switch (std::uniform_int_distribution(0, 2)(random)) {
      case 0:
        text[place()] = piece;
        break;
      case 1:
        text.insert(place(), 1, piece);
        break;
      default:
        text.erase(place(), 1);
      }
    }
    taken += agrees(text) ? 1 : 0;
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(taken * 10, cases);
}

} // namespace
} // namespace sheaf::catalogue
