// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "sbom/inventory.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using testing::ElementsAre;

std::vector<std::string> summary(const layer::Inventory& inventory) {
  std::vector<std::string> lines;
  for (const auto& entry : inventory.entries) {
    auto line = std::string(1, static_cast<char>(entry.type)) + " " + entry.path;
    line += entry.is_hard_link ? " =" + entry.target : entry.target.empty() ? "" : " >" + entry.target;
    line += entry.digest ? " " + entry.digest->short_hex() : "";
    lines.push_back(line);
  }
  return lines;
}

TEST(ImageInventory, ListsWhatShowsInOrder) {
  TestTrees trees;
  trees.add("a");
  trees.add("b");
  trees.file("a", "etc/name", "low");
  trees.file("a", "etc/gone", "x");
  trees.file("b", "etc/name", "high");
  trees.deletion("b", "etc/gone");
  trees.file("b", "etc.d/x", "1");
  trees.link("b", "bin", "usr/bin");
  trees.file("b", "new\nline", "2");
  const auto inventory = inventory_of(trees.stack()).value();
  EXPECT_THAT(summary(inventory),
              ElementsAre("l bin >usr/bin", "d etc", "d etc.d", "f etc.d/x " + Digest::of("1").short_hex(),
                          "f etc/name " + Digest::of("high").short_hex(),
                          "f new\nline " + Digest::of("2").short_hex()));
  const auto text = layer::serialise(inventory);
  EXPECT_EQ(layer::serialise(layer::parse_inventory(text).value()), text);
  EXPECT_TRUE(layer::line_of(text, "etc/name").value());
}

TEST(ImageInventory, KeepsTheNamesOfOneFileTogether) {
  TestTrees trees;
  trees.add("a");
  trees.add("b");
  trees.file("a", "x/first", "content");
  for (const auto* name : {"x/second", "a", "gone"}) {
    ASSERT_TRUE(os::hard_link(trees.path("a", "x/first"), trees.path("a", name)));
  }
  ASSERT_TRUE(os::hard_link(trees.path("a", "x/first"), trees.path("b", "other-tree")));
  trees.file("b", "gone", "other");
  const auto digest = Digest::of("content").short_hex();
  EXPECT_THAT(summary(inventory_of(trees.stack()).value()),
              ElementsAre("f a " + digest, "f gone " + Digest::of("other").short_hex(), "f other-tree " + digest, "d x",
                          "f x/first =a " + digest, "f x/second =a " + digest));
}

} // namespace
} // namespace sheaf::sbom
