// SPDX-License-Identifier: Apache-2.0
#include "builder/join_tree.hpp"
#include "builder/tree_folders.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "os/xattr.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

namespace sheaf::builder {
namespace {

class TreeFoldersTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(path("root/usr/bin")));
    ASSERT_TRUE(os::make_directories(path("tree")));
    ASSERT_TRUE(os::make_directories(path("outside")));
    std::filesystem::create_symlink("usr/bin", path("root/bin"));
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  os::Fd root() const { return os::open(path("root"), O_RDONLY | O_DIRECTORY).value(); }
  std::int64_t seconds(const std::string& name) const { return os::stamp(path(name))->mtime_ns / 1'000'000'000; }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
};

TEST_F(TreeFoldersTest, LinkedFoldersOfTheRootAreFollowed) {
  std::filesystem::create_symlink("/bin", path("root/absolute"));
  std::filesystem::create_symlink("usr/../../absolute", path("root/upwards"));
  std::filesystem::create_symlink("var/later", path("root/dangling"));
  const auto at = root();
  TreeFolders folders(path("tree"), at, 1000);
  EXPECT_EQ(folders.place_of("bin/nc").value(), "usr/bin/nc");
  EXPECT_EQ(folders.place_of("absolute/nc").value(), "usr/bin/nc");
  EXPECT_EQ(folders.place_of("upwards/nc").value(), "usr/bin/nc");
  EXPECT_EQ(folders.place_of("dangling/x/y").value(), "var/later/x/y");
  EXPECT_EQ(folders.place_of("bin").value(), "bin");
  EXPECT_FALSE(os::exists(path("tree/bin")));
  EXPECT_TRUE(os::is_directory(path("tree/usr/bin")));
  EXPECT_TRUE(os::is_directory(path("tree/var/later/x")));
}

TEST_F(TreeFoldersTest, LinksInACircleAreRefused) {
  std::filesystem::create_symlink("two", path("root/one"));
  std::filesystem::create_symlink("one", path("root/two"));
  const auto at = root();
  TreeFolders folders(path("tree"), at, 1000);
  EXPECT_EQ(folders.place_of("one/x").error().code(), ErrorCode::invalid);
}

TEST_F(TreeFoldersTest, FoldersRepeatModeAndAttributesAndKeepTheirTime) {
  ASSERT_EQ(chmod(path("root/usr").c_str(), 0710), 0);
  ASSERT_TRUE(os::set_attribute_at(root(), "usr", "user.note", "kept"));
  const auto at = root();
  TreeFolders folders(path("tree"), at, 1000);
  ASSERT_TRUE(folders.place_of("usr/share/x"));
  ASSERT_TRUE(os::write_file(path("tree/usr/share/x"), "x"));
  ASSERT_TRUE(folders.settle_times());
  const auto tree = os::open(path("tree"), O_RDONLY | O_DIRECTORY).value();
  EXPECT_EQ(os::attributes_at(tree, "usr").value().at("user.note"), "kept");
  EXPECT_EQ(os::stat_of(os::open(path("tree/usr"), O_PATH).value())->st_mode & 07777U, 0710U);
  for (const auto* folder : {"tree", "tree/usr", "tree/usr/share"}) {
    EXPECT_EQ(seconds(folder), 1000) << folder;
  }
}

// Alternatives name their links themselves: one of them must not lead out of the tree through another.
TEST_F(TreeFoldersTest, ALinkOfTheJoinLeadsNoOtherOutOfTheTree) {
  const auto view = layer::ParentView::open({path("root")}).value();
  JoinTree tree(path("tree"), view, 1000);
  ASSERT_TRUE(tree.add_link("etc/alternatives/x", {path("outside"), {}}));
  EXPECT_EQ(tree.add_link("etc/alternatives/x/evil", {"/bin/sh", {}}).error().code(), ErrorCode::invalid);
  EXPECT_EQ(tree.add_file("etc/alternatives/x/evil", "evil", {}).error().code(), ErrorCode::invalid);
  EXPECT_TRUE(std::filesystem::is_empty(path("outside")));
}

TEST_F(TreeFoldersTest, ADeletionThroughALinkLeavesTheLink) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root to mark a deletion";
  }
  std::filesystem::create_symlink("/etc/alternatives/nc", path("root/usr/bin/nc"));
  const auto view = layer::ParentView::open({path("root")}).value();
  JoinTree tree(path("tree"), view, 1000);
  ASSERT_TRUE(tree.add_link("bin/nc", {}));
  ASSERT_TRUE(tree.finish());
  EXPECT_FALSE(os::exists(path("tree/bin")));
  EXPECT_TRUE(std::filesystem::is_character_file(path("tree/usr/bin/nc")));
}

} // namespace
} // namespace sheaf::builder
