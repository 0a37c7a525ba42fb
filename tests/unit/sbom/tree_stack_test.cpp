// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "sbom/tree_stack.hpp"
#include "unit/sbom/sbom_support.hpp"

namespace sheaf::sbom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string content(const TreeStack& stack, const std::string& path) {
  const auto entry = stack.find(path).value();
  return entry ? stack.read(*entry, 100).value() : "(nothing)";
}

TEST(TreeStack, NoTreesAreAnEmptyRoot) {
  const auto stack = TreeStack::open({}).value();
  EXPECT_THAT(paths_of(stack), IsEmpty());
  EXPECT_FALSE(stack.find("etc").value());
  EXPECT_EQ(TreeStack::open({"/no/such/tree"}).error().code(), ErrorCode::not_found);
}

TEST(TreeStack, TheTopmostFileShows) {
  TestTrees trees;
  trees.add("a");
  trees.add("b");
  trees.file("a", "etc/name", "low");
  trees.file("a", "etc/only", "a");
  trees.file("b", "etc/name", "high");
  trees.file("b", "etc/new", "b");
  const auto stack = trees.stack();
  EXPECT_THAT(paths_of(stack), ElementsAre("etc", "etc/name", "etc/new", "etc/only"));
  EXPECT_EQ(content(stack, "etc/name"), "high");
  EXPECT_EQ(content(stack, "etc/only"), "a");
  EXPECT_EQ(content(stack, "etc/none"), "(nothing)");
}

TEST(TreeStack, DeletionsHideWhatIsBelow) {
  TestTrees trees;
  for (const auto* tree : {"a", "b", "c"}) {
    trees.add(tree);
  }
  trees.file("a", "x/deep/f", "a");
  trees.file("a", "y", "a");
  trees.deletion("b", "x");
  trees.deletion("b", "y");
  trees.file("c", "x/g", "c");
  EXPECT_THAT(paths_of(trees.stack()), UnorderedElementsAre("x", "x/g"));
  EXPECT_THAT(paths_of(trees.stack({"a", "b"})), IsEmpty());
}

TEST(TreeStack, AFileInTheWayEndsAFolder) {
  TestTrees trees;
  for (const auto* tree : {"a", "b", "c"}) {
    trees.add(tree);
  }
  trees.file("a", "x/old", "a");
  trees.file("b", "x", "file");
  trees.file("c", "x/new", "c");
  EXPECT_THAT(paths_of(trees.stack()), UnorderedElementsAre("x", "x/new"));
  EXPECT_EQ(content(trees.stack({"a", "b"}), "x"), "file");
}

TEST(TreeStack, OpaqueFoldersHideWhatIsBelow) {
  TestTrees trees;
  for (const auto* tree : {"a", "b", "c"}) {
    trees.add(tree);
  }
  trees.file("a", "x/old", "a");
  trees.file("b", "x/new", "b");
  trees.file("c", "x/newest", "c");
  if (!trees.opaque("b", "x")) {
    GTEST_SKIP() << "this file system or user cannot mark folders as opaque";
  }
  EXPECT_THAT(paths_of(trees.stack()), UnorderedElementsAre("x", "x/new", "x/newest"));
}

TEST(TreeStack, LinksAreNeverFollowed) {
  TestTrees trees;
  trees.add("a");
  trees.add("b");
  trees.file("a", "real/f", "x");
  trees.link("b", "real", "/etc");
  trees.link("b", "up", "../..");
  const auto stack = trees.stack();
  EXPECT_THAT(paths_of(stack), UnorderedElementsAre("real", "up"));
  EXPECT_FALSE(stack.find("real/passwd").value());
  EXPECT_EQ(stack.find("up").value()->entry.target, "../..");
}

TEST(TreeStack, DescribesEntries) {
  TestTrees trees;
  trees.add("a");
  trees.file("a", "f", "12345", 04711);
  const auto found = trees.stack().find("f").value();
  EXPECT_EQ(found->entry.type, layer::EntryType::file);
  EXPECT_EQ(found->entry.mode, 04711U);
  EXPECT_EQ(found->entry.size, 5U);
  EXPECT_EQ(found->entry.uid, getuid());
  EXPECT_FALSE(found->has_other_names);
}

TEST(TreeStack, ReadsNoMoreThanItIsTold) {
  TestTrees trees;
  trees.add("a");
  trees.file("a", "f", "12345");
  const auto stack = trees.stack();
  const auto entry = stack.find("f").value();
  EXPECT_EQ(stack.read(*entry, 5).value(), "12345");
  EXPECT_EQ(stack.read(*entry, 4).error().code(), ErrorCode::invalid);
}

} // namespace
} // namespace sheaf::sbom
