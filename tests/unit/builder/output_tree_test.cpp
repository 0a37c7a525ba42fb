// SPDX-License-Identifier: Apache-2.0
#include "builder/output_tree.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <filesystem>

namespace sheaf::builder {
namespace {

class OutputTreeTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(os::make_directories(path("root/usr/lib/x86/tool")));
    ASSERT_TRUE(os::make_directories(path("root/usr/lib/plain")));
    ASSERT_TRUE(os::make_directories(path("tree")));
  }
  std::string path(const std::string& name) const { return m_directory.path() + "/" + name; }
  os::Fd root() const { return os::open(path("root"), O_RDONLY | O_DIRECTORY).value(); }

  os::TempDir m_directory = os::TempDir::create(std::filesystem::temp_directory_path().string(), "sheaf-").value();
};

TEST_F(OutputTreeTest, PatternsMatchFolderByFolder) {
  const auto at = root();
  EXPECT_TRUE(any_match(at, "usr/lib"));
  EXPECT_TRUE(any_match(at, "usr/lib/*/tool"));
  EXPECT_TRUE(any_match(at, "usr/lib/*"));
  EXPECT_TRUE(any_match(at, "usr/*/*/tool"));
  EXPECT_FALSE(any_match(at, "usr/lib/*/none"));
  EXPECT_FALSE(any_match(at, "usr/none/*/tool"));
  EXPECT_FALSE(any_match(at, "opt"));
}

TEST_F(OutputTreeTest, FilesOfTheStoreGetASecondName) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root to set owners";
  }
  ASSERT_TRUE(os::make_directories(path("made/a/b")));
  ASSERT_TRUE(os::write_file(path("made/a/b/f"), "content"));
  const auto at = root();
  OutputTree tree(path("tree"), at, 1000);
  layer::Entry entry;
  entry.path = "a/b/f";
  ASSERT_TRUE(tree.add_existing(entry, path("made")));
  EXPECT_EQ(os::stamp(path("tree/a/b/f"))->inode, os::stamp(path("made/a/b/f"))->inode);
  // Writing a file of that name replaces it; what the store has stays.
  ASSERT_TRUE(tree.add_file("a/b/f", "other"));
  EXPECT_EQ(os::read_file(path("made/a/b/f")).value(), "content");
  EXPECT_EQ(os::stamp(path("tree/a/b/f"))->mtime_ns, 1000 * 1'000'000'000LL);
  ASSERT_TRUE(tree.add_link("a/l", "target"));
  ASSERT_TRUE(tree.add_link("a/l", "again"));
  EXPECT_EQ(std::filesystem::read_symlink(path("tree/a/l")), "again");
}

} // namespace
} // namespace sheaf::builder
