// SPDX-License-Identifier: Apache-2.0
// Laws of inventories and overlaps on random trees: the text keeps everything, and what conflicts does not depend on
// the order in which independent layers are given.

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "unit/layer/layer_support.hpp"

namespace sheaf::layer {
namespace {

using Random = std::mt19937;

int below(Random& random, int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random); }

std::string random_bytes(Random& random, int most) {
  std::string text;
  for (int length = below(random, most) + 1; length > 0; --length) {
    const auto byte = static_cast<char>(below(random, 255) + 1);
    text += byte == '/' ? 'x' : byte;
  }
  return text;
}

Entry random_entry(Random& random, std::string path) {
  constexpr std::string_view types = "fdlcbpw";
  Entry entry;
  entry.path = std::move(path);
  entry.type = static_cast<EntryType>(types[static_cast<std::size_t>(below(random, 7))]);
  entry.mode = static_cast<unsigned>(below(random, 010000));
  entry.uid = random();
  entry.gid = random();
  entry.mtime = static_cast<std::int64_t>(random()) - 1000;
  if (entry.type == EntryType::file) {
    entry.size = random();
    entry.digest = Digest::of(random_bytes(random, 9));
    entry.is_hard_link = below(random, 3) == 0;
  }
  if (entry.type == EntryType::symlink || entry.is_hard_link) {
    entry.target = random_bytes(random, 20);
  }
  if (below(random, 4) == 0) {
    entry.attributes["user.a"] = random_bytes(random, 30);
    entry.attributes["user.b"] = "";
  }
  return entry;
}

TEST(InventoryLaws, ParsingGivesWhatWasWritten) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Inventory before;
    for (int i = below(random, 30); i > 0; --i) {
      before.entries.push_back(random_entry(random, random_bytes(random, 6) + "/" + random_bytes(random, 12)));
    }
    const auto text = serialise(before);
    const auto after = parse_inventory(text);
    ASSERT_TRUE(after) << after.error().summary();
    ASSERT_THAT(after->entries, testing::ElementsAreArray(before.entries));
    ASSERT_EQ(serialise(*after), text);
  }
}

TEST(InventoryLaws, EscapingKeepsNamesApartAndOnOneLine) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto name = random_bytes(random, 12);
    const auto escaped = escape_path(name);
    EXPECT_EQ(escaped.find_first_of("\t\n"), std::string::npos);
    EXPECT_EQ(unescape_path(escaped).value(), name);
  }
}

Entry random_claim(Random& random, const std::string& path) {
  switch (below(random, 5)) {
  case 0:
    return file(path, below(random, 2) == 0 ? "1" : "2");
  case 1:
    return whiteout(path);
  case 2:
    return link_to(path, below(random, 2) == 0 ? "1" : "2");
  default:
    return directory(path, below(random, 2) == 0 ? 0755 : 0700);
  }
}

std::vector<TestLayer> random_layers(Random& random, int count) {
  std::vector<TestLayer> layers;
  for (int i = 0; i < count; ++i) {
    TestLayer layer{std::string(1, static_cast<char>('a' + i)), {}, {}};
    for (const auto* path : {"p", "p/q", "p.q", "r", "s"}) {
      if (below(random, 3) > 0) {
        layer.entries.push_back(random_claim(random, path));
      }
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::set<std::string> paths_in_conflict(const Overlaps& overlaps) {
  std::set<std::string> paths;
  for (const auto& conflict : overlaps.conflicts) {
    paths.insert(conflict.path);
  }
  return paths;
}

/// Path and the two names, whichever is first.
std::set<std::string> pairs_in_conflict(const Overlaps& overlaps) {
  std::set<std::string> pairs;
  for (const auto& conflict : overlaps.conflicts) {
    pairs.insert(conflict.path + ": " + std::min(conflict.first, conflict.second) + " " +
                 std::max(conflict.first, conflict.second) + ": " + conflict.what);
  }
  return pairs;
}

std::optional<Entry> base_directory(const std::string& path) {
  return path.starts_with('p') ? std::optional(directory(path, 0755)) : std::nullopt;
}

/// Calls `check(before, after)` for random layers in two orders.
template <class Check>
void for_shuffled_layers(int count, const Check& check) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    auto layers = random_layers(random, count);
    const auto before = overlaps_of(layers, base_directory);
    std::ranges::shuffle(layers, random);
    check(before, overlaps_of(layers, base_directory));
  }
}

TEST(OverlapLaws, OrderDoesNotDecideWhichPathsConflict) {
  for_shuffled_layers(4, [](const Overlaps& before, const Overlaps& after) {
    EXPECT_EQ(paths_in_conflict(before), paths_in_conflict(after));
  });
}

TEST(OverlapLaws, OrderDoesNotDecideWhatTwoLayersConflictAbout) {
  for_shuffled_layers(2, [](const Overlaps& before, const Overlaps& after) {
    EXPECT_EQ(pairs_in_conflict(before), pairs_in_conflict(after));
  });
}

TEST(OverlapLaws, OrderDoesNotDecideWhichPairsConflict) {
  for_shuffled_layers(4, [](const Overlaps& before, const Overlaps& after) {
    EXPECT_EQ(pairs_in_conflict(before), pairs_in_conflict(after));
  });
}

/// Whoever is on top, the directory ends up as the one layer that changed it wants it.
TEST(OverlapLaws, ADirectoryIsAsTheOneThatChangedItWants) {
  for (int place = 0; place < 3; ++place) {
    std::vector<TestLayer> layers = {
        {"a", {directory("p")}, {}}, {"b", {directory("p")}, {}}, {"c", {directory("p")}, {}}};
    layers[static_cast<std::size_t>(place)].entries = {directory("p", 0700)};
    const auto overlaps = overlaps_of(layers, base_directory);
    EXPECT_TRUE(overlaps.conflicts.empty());
    const auto result = overlaps.fixes.empty() ? layers.back().entries[0].mode : overlaps.fixes[0].wanted.mode;
    EXPECT_EQ(result, 0700U) << place;
  }
}

} // namespace
} // namespace sheaf::layer
