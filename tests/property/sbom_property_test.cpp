// SPDX-License-Identifier: Apache-2.0
// Laws of differences on random stacks of trees: nothing differs from itself, the other direction is the mirror image,
// and what the inventories say differs is what the difference says.

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "sbom/image_diff.hpp"
#include "sbom/inventory.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using Random = std::mt19937;

unsigned below(Random& random, unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random); }

std::string random_path(Random& random) {
  std::string path;
  for (auto depth = below(random, 3) + 1; depth > 0; --depth) {
    path += (path.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + below(random, 3)));
  }
  return path;
}

bool is_free(const std::string& tree, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = tree + "/" + path.substr(0, slash);
    if (os::exists(folder) && !os::is_directory(folder)) {
      return false;
    }
  }
  return !os::exists(tree + "/" + path);
}

void fill(Random& random, const TestTrees& trees, const std::string& name, const std::string& tree) {
  for (auto count = below(random, 8); count > 0; --count) {
    const auto path = random_path(random);
    if (!is_free(tree, path)) {
      continue;
    }
    switch (below(random, 6)) {
    case 0:
      trees.deletion(name, path);
      break;
    case 1:
      trees.link(name, path, random_path(random));
      break;
    case 2:
      trees.folder(name, path);
      break;
    case 3:
      trees.file(name, path + "/node_modules/m/package.json",
                 R"({"name": "m)" + std::to_string(below(random, 2)) + R"(", "version": ")" +
                     std::to_string(below(random, 3)) + "\"}");
      break;
    default:
      trees.file(name, path, std::string(below(random, 3), 'x'), below(random, 2) == 0 ? 0644 : 0755);
    }
  }
}

/// Five trees, of which images take some.
class RandomTrees {
public:
  explicit RandomTrees(unsigned seed) : m_random(seed) {
    for (char name = '0'; name <= '4'; ++name) {
      const std::string tree(1, name);
      m_trees.add(tree);
      fill(m_random, m_trees, tree, m_trees.trees().back());
    }
  }
  TreeStack image() {
    std::vector<std::string> names;
    for (char name = '0'; name <= '4'; ++name) {
      if (below(m_random, 2) == 0) {
        names.emplace_back(1, name);
      }
    }
    return m_trees.stack(names);
  }

private:
  Random m_random;
  TestTrees m_trees;
};

std::string summary(const std::optional<layer::Entry>& entry) {
  return entry ? layer::serialise(layer::Inventory{{*entry}}) : "-";
}

TEST(ImageDiffLaws, NothingDiffersFromItself) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    RandomTrees trees(seed);
    const auto image = trees.image();
    const auto diff = diff_images(image, image).value();
    EXPECT_TRUE(diff.files.empty() && diff.packages.empty());
  }
}

TEST(ImageDiffLaws, TheOtherDirectionIsTheMirrorImage) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RandomTrees trees(seed);
    const auto a = trees.image();
    const auto b = trees.image();
    const auto there = diff_images(a, b).value();
    const auto back = diff_images(b, a).value();
    ASSERT_EQ(there.files.size(), back.files.size());
    for (std::size_t i = 0; i < there.files.size(); ++i) {
      EXPECT_EQ(summary(there.files[i].before), summary(back.files[i].after));
      EXPECT_EQ(summary(there.files[i].after), summary(back.files[i].before));
      EXPECT_EQ(there.files[i].aspects, back.files[i].aspects);
    }
    EXPECT_EQ(there.bytes_before, back.bytes_after);
    std::vector<PackageChange> mirrored;
    for (auto change : back.packages) {
      std::swap(change.before, change.after);
      mirrored.push_back(std::move(change));
    }
    EXPECT_THAT(there.packages, testing::UnorderedElementsAreArray(mirrored));
  }
}

/// Entries without what a difference does not look at.
std::map<std::string, std::string> comparable(const TreeStack& image) {
  auto inventory = inventory_of(image).value();
  std::map<std::string, std::string> lines;
  for (auto& entry : inventory.entries) {
    entry.mtime = 0;
    lines[entry.path] = layer::serialise(layer::Inventory{{entry}});
  }
  return lines;
}

TEST(ImageDiffLaws, AgreesWithTheInventories) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RandomTrees trees(seed);
    const auto a = trees.image();
    const auto b = trees.image();
    const auto before = comparable(a);
    const auto after = comparable(b);
    std::set<std::string> expected;
    for (const auto& [path, line] : before) {
      const auto other = after.find(path);
      if (other == after.end() || other->second != line) {
        expected.insert(path);
      }
    }
    for (const auto& [path, line] : after) {
      if (!before.contains(path)) {
        expected.insert(path);
      }
    }
    std::set<std::string> found;
    const auto diff = diff_images(a, b).value();
    for (const auto& change : diff.files) {
      found.insert(change.path());
    }
    EXPECT_EQ(found, expected);
  }
}

} // namespace
} // namespace sheaf::sbom
