// SPDX-License-Identifier: Apache-2.0
// Laws of the join on generated groups of alternatives: the order of layers does not matter, joining twice is joining
// once, and one layer more can be added to what was joined.

#include <fmt/format.h>

#include <random>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

constexpr std::string_view k_file = "var/lib/dpkg/alternatives/tool";
constexpr std::string_view k_link = "etc/alternatives/tool";
constexpr int k_cases = 400;

struct Choice {
  int priority = 0;
  unsigned slaves = 0;
};

/// A group as update-alternatives leaves it: its choices by path, and the one that the link points to.
struct Group {
  std::map<std::string, Choice> choices;
  std::string current;
  bool manual = false;

  void install(const std::string& path, Choice choice) {
    choices[path] = choice;
    if (!manual && (current.empty() || choice.priority > choices.at(current).priority)) {
      current = path;
    }
  }

  std::string text() const {
    unsigned used = 0;
    for (const auto& [path, choice] : choices) {
      used |= choice.slaves;
    }
    const auto each_slave = [used](const auto& visit) {
      for (unsigned i = 0; i < 4; ++i) {
        if ((used & (1U << i)) != 0) {
          visit(i);
        }
      }
    };
    auto text = fmt::format("{}\n/usr/bin/tool\n", manual ? "manual" : "auto");
    each_slave([&](unsigned i) { text += fmt::format("s{0}\n/man/s{0}\n", i); });
    text += "\n";
    for (const auto& [path, choice] : choices) {
      text += fmt::format("{}\n{}\n", path, choice.priority);
      each_slave(
          [&](unsigned i) { text += (choice.slaves & (1U << i)) != 0 ? fmt::format("{}.s{}\n", path, i) : "\n"; });
    }
    return text + "\n";
  }

  Files files() const { return {{std::string(k_file), text() + current + "\n"}}; }
};

class AlternativesLaws : public testing::TestWithParam<unsigned> {
protected:
  void SetUp() override {
    m_seed = GetParam() == 0 ? std::random_device()() : GetParam();
    RecordProperty("seed", static_cast<int>(m_seed));
    m_random.seed(m_seed);
  }

  /// A base and two to five layers on it, of which at most one chooses by hand. With `ties`, several choices have one
  /// priority.
  void generate(bool ties) {
    m_layers.clear();
    Group base;
    int next = 0;
    const auto install = [&](Group& group, std::string_view who) {
      ++next;
      const int priority = ties ? static_cast<int>(m_random() % 3) : next * 7 % 97;
      // Names in no order, so that the first one by path need not be the first one there.
      group.install(fmt::format("/opt/{}-{}-{}", m_random() % 1000, who, next),
                    {priority, static_cast<unsigned>(m_random() % 16)});
    };
    for (auto i = m_random() % 4; i > 0; --i) {
      install(base, "base");
    }
    m_base = base.choices.empty() ? Files() : base.files();
    const auto by_hand = m_random() % 8;
    for (std::size_t layer = 0; layer < 2 + m_random() % 4; ++layer) {
      auto group = base;
      for (auto i = 1 + m_random() % 3; i > 0; --i) {
        install(group, std::to_string(layer));
      }
      if (layer == by_hand) {
        group.manual = true;
        group.current = std::next(group.choices.begin(), static_cast<int>(m_random() % group.choices.size()))->first;
      }
      m_layers.push_back({fmt::format("layer{}", layer), facts_of(m_base, group.files())});
    }
  }

  static JoinResult checked_join(const Files& base, const std::vector<NamedFacts>& layers) {
    auto result = join_facts(base, layers);
    EXPECT_TRUE(result.conflicts.empty()) << result.conflicts[0].message;
    EXPECT_TRUE(result.links.contains(k_link));
    return result;
  }

  /// The joined machine as the base of another join.
  static Files as_base(const JoinResult& result) {
    return {
        {std::string(k_file), result.files.at(std::string(k_file)) + result.links.find(k_link)->second.target + "\n"}};
  }

  std::string about(int round) const { return fmt::format("seed {}, round {}", m_seed, round); }

  unsigned m_seed = 0;
  std::mt19937 m_random;
  Files m_base;
  std::vector<NamedFacts> m_layers;
};

TEST_P(AlternativesLaws, OrderDoesNotMatter) {
  for (int round = 0; round < k_cases; ++round) {
    const bool ties = round % 2 == 0;
    generate(ties);
    const auto first = checked_join(m_base, m_layers);
    std::shuffle(m_layers.begin(), m_layers.end(), m_random);
    const auto shuffled = checked_join(m_base, m_layers);
    ASSERT_EQ(shuffled.files, first.files) << about(round);
    // Among choices of equal priority the first one there is current, in the order of the layers.
    if (!ties) {
      ASSERT_EQ(shuffled.links, first.links) << about(round);
    }
  }
}

TEST_P(AlternativesLaws, TwiceIsOnce) {
  for (int round = 0; round < k_cases; ++round) {
    generate(round % 2 == 0);
    const auto once = checked_join(m_base, m_layers);
    auto twice = m_layers;
    twice.insert(twice.end(), m_layers.begin(), m_layers.end());
    const auto again = checked_join(m_base, twice);
    ASSERT_EQ(again.files, once.files) << about(round);
    ASSERT_EQ(again.links, once.links) << about(round);
    const auto on_top = checked_join(as_base(once), m_layers);
    ASSERT_EQ(on_top.files, once.files) << about(round);
    // Of equal choices that were all there before, a layer's facts may say another one is the first.
    if (round % 2 != 0) {
      ASSERT_EQ(on_top.links, once.links) << about(round);
    }
  }
}

TEST_P(AlternativesLaws, OneLayerMore) {
  for (int round = 0; round < k_cases; ++round) {
    generate(round % 2 == 0);
    const auto all = checked_join(m_base, m_layers);
    const auto most = std::vector(m_layers.begin(), m_layers.end() - 1);
    const auto step = checked_join(as_base(checked_join(m_base, most)), {m_layers.back()});
    ASSERT_EQ(step.files, all.files) << about(round);
    ASSERT_EQ(step.links, all.links) << about(round);
  }
}

std::string seed_name(const testing::TestParamInfo<unsigned>& info) {
  return info.param == 0 ? "random" : fmt::format("seed{}", info.param);
}

// Seed 0 stands for a new one each time; a failure prints it.
INSTANTIATE_TEST_SUITE_P(Seeds, AlternativesLaws, testing::Values(0U, 1U, 2U), seed_name);

} // namespace
} // namespace sheaf::join
