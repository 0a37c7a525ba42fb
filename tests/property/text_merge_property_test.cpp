// SPDX-License-Identifier: Apache-2.0
// Laws of the merge of texts, on generated texts and edits: it is what the edits give one after the other, wherever
// their lines are apart, and a conflict does not depend on the order of the sides.

#include "join/text_merge.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace sheaf::join {
namespace {

using Random = std::mt19937;
constexpr int k_cases = 1000;

std::vector<std::string_view> views(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

/// What one side does to a line of the base, named by its number.
struct Edit {
  enum class Kind { change, remove, add_after } kind;
  std::string text;
};
using Edits = std::map<int, Edit>;

/// Lines of a few letters, some of them repeated; line 0 stands for the begin of the file.
std::string edited(const std::vector<std::string>& base, const std::vector<Edits>& all) {
  std::string text;
  for (int line = 0; line <= static_cast<int>(base.size()); ++line) {
    std::string own = line == 0 ? "" : base[static_cast<std::size_t>(line - 1)] + "\n";
    std::string added;
    for (const auto& edits : all) {
      if (const auto edit = edits.find(line); edit != edits.end()) {
        switch (edit->second.kind) {
        case Edit::Kind::change:
          own = edit->second.text;
          break;
        case Edit::Kind::remove:
          own.clear();
          break;
        case Edit::Kind::add_after:
          added += edit->second.text;
          break;
        }
      }
    }
    text += own + added;
  }
  return text;
}

class TextMergeLaws : public testing::TestWithParam<unsigned> {
protected:
  void SetUp() override {
    m_seed = GetParam() == 0 ? std::random_device()() : GetParam();
    RecordProperty("seed", static_cast<int>(m_seed));
    m_random.seed(m_seed);
  }

  int number(int below) { return static_cast<int>(m_random() % static_cast<unsigned>(below)); }

  std::vector<std::string> unique_lines(int most) {
    std::vector<std::string> lines(static_cast<std::size_t>(number(most)));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i] = fmt::format("line {}", i);
    }
    return lines;
  }

  /// A text of few different lines, with and without a final newline.
  std::string any_text() {
    std::string text;
    for (int i = number(8); i > 0; --i) {
      text += fmt::format("{}\n", static_cast<char>('a' + number(3)));
    }
    if (number(4) == 0) {
      text += "end";
    }
    return text;
  }

  unsigned m_seed = 0;
  Random m_random;
};

TEST_P(TextMergeLaws, EditsApartGiveWhatTheyGiveOneAfterTheOther) {
  for (int round = 0; round < k_cases; ++round) {
    const auto base = unique_lines(40);
    std::vector<Edits> sides(static_cast<std::size_t>(2 + number(4)));
    // Every place belongs to one side, and has a line between it and the next one.
    for (int line = number(2); line <= static_cast<int>(base.size()); line += 2 + number(4)) {
      auto& edits = sides[m_random() % sides.size()];
      const auto kind = line == 0 ? Edit::Kind::add_after : static_cast<Edit::Kind>(number(3));
      edits[line] = {kind, fmt::format("new {}\n{}", line, number(2) == 0 ? "and more\n" : "")};
      line += kind == Edit::Kind::add_after ? 1 : 0;
    }
    std::vector<std::string> texts;
    for (const auto& edits : sides) {
      texts.push_back(edited(base, {edits}));
    }
    const auto expected = edited(base, sides);
    ASSERT_EQ(merge_texts(edited(base, {}), views(texts)), expected) << "seed " << m_seed << ", round " << round;
    std::shuffle(texts.begin(), texts.end(), m_random);
    ASSERT_EQ(merge_texts(edited(base, {}), views(texts)), expected) << "seed " << m_seed << ", round " << round;
  }
}

TEST_P(TextMergeLaws, AdditionsNeverConflictAndComeInOrder) {
  for (int round = 0; round < k_cases; ++round) {
    const auto base = unique_lines(10);
    std::vector<Edits> sides(static_cast<std::size_t>(2 + number(4)));
    std::vector<std::string> texts;
    for (std::size_t side = 0; side < sides.size(); ++side) {
      for (int line = 0; line <= static_cast<int>(base.size()); line += 1 + number(3)) {
        sides[side][line] = {Edit::Kind::add_after, fmt::format("{} of side {}\n", line, side)};
      }
      texts.push_back(edited(base, {sides[side]}));
    }
    ASSERT_EQ(merge_texts(edited(base, {}), views(texts)), edited(base, sides)) << "seed " << m_seed;
  }
}

TEST_P(TextMergeLaws, AppendingIsAppending) {
  for (int round = 0; round < k_cases; ++round) {
    const auto base = any_text() + "last\n";
    std::vector<std::string> sides;
    auto sequential = base;
    for (int side = 0; side < 4; ++side) {
      const auto addition = fmt::format("{}side {}\n", any_text(), side);
      sides.push_back(base + addition);
      sequential += addition;
    }
    ASSERT_EQ(merge_texts(base, views(sides)), sequential) << "seed " << m_seed << ", round " << round;
  }
}

TEST_P(TextMergeLaws, ConflictsDoNotDependOnTheOrder) {
  int conflicts = 0;
  for (int round = 0; round < k_cases; ++round) {
    const auto base = any_text();
    std::vector<std::string> sides;
    for (int side = 0; side < 3; ++side) {
      sides.push_back(any_text());
    }
    const auto one = merge_texts(base, views(sides));
    std::reverse(sides.begin(), sides.end());
    const auto other = merge_texts(base, views(sides));
    ASSERT_EQ(one.has_value(), other.has_value()) << "seed " << m_seed << ", round " << round;
    conflicts += one ? 0 : 1;
    // One side alone, or with the base, is that side.
    ASSERT_EQ(merge_texts(base, std::vector<std::string_view>{sides[0], base, sides[0]}), sides[0]);
    // Merging what was merged changes nothing.
    if (one) {
      ASSERT_EQ(merge_texts(base, std::vector<std::string_view>{*one, *one}), *one);
    }
  }
  EXPECT_GT(conflicts, 0);
  EXPECT_LT(conflicts, k_cases);
}

std::string seed_name(const testing::TestParamInfo<unsigned>& info) {
  return info.param == 0 ? "random" : fmt::format("seed{}", info.param);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TextMergeLaws, testing::Values(0U, 1U, 2U), seed_name);

} // namespace
} // namespace sheaf::join
