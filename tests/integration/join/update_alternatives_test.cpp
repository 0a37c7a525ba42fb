// SPDX-License-Identifier: Apache-2.0
// Merged groups of alternatives, and their links, against what update-alternatives itself makes of the layers' commands
// carried out one after the other.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "unit/join/join_support.hpp"

namespace sheaf::join {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view k_file = "var/lib/dpkg/alternatives/tool";

/// Arguments of one call of update-alternatives.
using Command = std::string;

class UpdateAlternatives : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sheaf-alternatives-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    m_directory = name;
    if (std::system("update-alternatives --help 2>/dev/null | grep -q -- --root") != 0) {
      GTEST_SKIP() << "there is no update-alternatives with --root";
    }
  }
  void TearDown() override { fs::remove_all(m_directory); }

  /// A root that has every file that a choice or a slave can be, but those that end in "missing".
  fs::path new_root() {
    auto root = m_directory / fmt::format("root{}", m_roots++);
    for (const auto* directory : {"etc/alternatives", "var/lib/dpkg/alternatives", "var/log", "usr/bin", "opt"}) {
      fs::create_directories(root / directory);
    }
    for (char layer = 'a'; layer <= 'e'; ++layer) {
      for (int i = 0; i < 3; ++i) {
        const std::ofstream program(root / fmt::format("opt/{}{}", layer, i));
        const std::ofstream page(root / fmt::format("opt/{}{}.page", layer, i));
      }
    }
    return root;
  }

  fs::path root_with(const std::vector<Command>& commands) {
    auto root = new_root();
    for (const auto& command : commands) {
      const auto line = fmt::format("update-alternatives --quiet --root {} {}", root.string(), command);
      EXPECT_EQ(std::system(line.c_str()), 0) << line;
    }
    return root;
  }

  /// The group's file and its current choice, as capture reads them; empty if there is no group.
  static std::string state(const fs::path& root) {
    const auto& driver = *driver_for(k_file);
    std::ifstream file(root / k_file, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    const auto link = root / driver.state_link(k_file);
    return fs::is_symlink(link) ? driver.with_state_link(text.str(), fs::read_symlink(link).string()) : text.str();
  }

  static void expect_links(const fs::path& root, const Links& links, const std::string& about) {
    std::size_t present = 0;
    for (const auto& [path, link] : links) {
      const bool wanted =
          !link.target.empty() && (link.only_if_exists.empty() || fs::exists(root / link.only_if_exists));
      ASSERT_EQ(fs::is_symlink(root / path), wanted) << path << '\n' << about;
      if (wanted) {
        ASSERT_EQ(fs::read_symlink(root / path).string(), link.target) << path << '\n' << about;
        ++present;
      }
    }
    std::size_t all = 0;
    for (const auto* directory : {"etc/alternatives", "usr/bin"}) {
      all += static_cast<std::size_t>(std::distance(fs::directory_iterator(root / directory), {}));
    }
    ASSERT_EQ(present, all) << about;
  }

  /// `commands[0]` made the base, each other one a layer on it.
  void expect_equal_to_sequential(const std::vector<std::vector<Command>>& commands) {
    const Files base = {{std::string(k_file), state(root_with(commands[0]))}};
    std::vector<NamedFacts> layers;
    auto sequence = commands[0];
    for (std::size_t i = 1; i < commands.size(); ++i) {
      auto own = commands[0];
      own.insert(own.end(), commands[i].begin(), commands[i].end());
      sequence.insert(sequence.end(), commands[i].begin(), commands[i].end());
      layers.push_back({fmt::format("layer{}", i), facts_of(base, {{std::string(k_file), state(root_with(own))}})});
    }
    const auto about = fmt::format("{}", fmt::join(sequence, "\n"));
    const auto sequential = root_with(sequence);
    const auto result = join_facts(base, layers);
    ASSERT_TRUE(result.conflicts.empty()) << result.conflicts[0].message << '\n' << about;
    if (!result.files.empty()) {
      std::ifstream file(sequential / k_file, std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      ASSERT_EQ(result.files.at(std::string(k_file)), text.str()) << about;
      ASSERT_NO_FATAL_FAILURE(expect_links(sequential, result.links, about));
    }
  }

  fs::path m_directory;
  int m_roots = 0;
};

/// Installs choice `name` with some of the slaves; `name` decides which, so that one choice is always the same.
Command install(const std::string& name, int priority, unsigned slaves) {
  auto command = fmt::format("--install /usr/bin/tool tool /opt/{} {}", name, priority);
  for (unsigned i = 0; i < 3; ++i) {
    if ((slaves & (1U << i)) != 0) {
      command += fmt::format(" --slave /usr/bin/tool.{0} tool.{0} /opt/{1}.{2}", i, name, i == 2 ? "missing" : "page");
    }
  }
  return command;
}

TEST_F(UpdateAlternatives, TwoEditors) {
  expect_equal_to_sequential({{install("a0", -100, 1)}, {install("b0", 40, 3)}, {install("c0", 30, 6)}});
}

TEST_F(UpdateAlternatives, AManualChoiceStays) {
  expect_equal_to_sequential({{install("a0", 10, 1)},
                              {install("b0", 40, 3), "--set tool /opt/a0"},
                              {install("c0", 50, 6), install("c1", 50, 0)}});
}

TEST_F(UpdateAlternatives, BackToAutomatic) {
  expect_equal_to_sequential(
      {{install("a0", 10, 1), install("a1", 20, 2), "--set tool /opt/a0"}, {"--auto tool"}, {install("c0", 5, 6)}});
}

TEST_F(UpdateAlternatives, RemovedGroup) {
  expect_equal_to_sequential({{install("a0", 10, 1)}, {install("b0", 20, 2), "--remove tool /opt/b0"}});
}

TEST_F(UpdateAlternatives, RandomLayers) {
  const auto seed = std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::vector<Command>> commands(2 + random() % 3);
    const auto manual = random() % 8; // the layer that chooses by hand, if there is one of that number
    for (std::size_t layer = 0; layer < commands.size(); ++layer) {
      for (std::size_t i = 0; i < (layer == 0 ? 2U : random() % 4); ++i) {
        // Few priorities and names in random order, so that there are ties of every kind.
        const auto name = fmt::format("{}{}", static_cast<char>('a' + (layer + 2) % 5), random() % 3);
        const int priority = layer == 0 && i == 0 ? -7 : 10 * (1 + name.back() % 2);
        commands[layer].push_back(install(i == 0 && layer == 0 ? "b0" : name, priority, random() % 8));
      }
      if (layer == manual && !commands[layer].empty()) {
        commands[layer].emplace_back("--set tool /opt/b0");
      } else if (layer == 1 && manual > 5 && random() % 2 == 0) {
        commands[layer].emplace_back("--remove tool /opt/b0");
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal_to_sequential(commands)) << "seed " << seed << ", round " << round;
  }
}

} // namespace
} // namespace sheaf::join
